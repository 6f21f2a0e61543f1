import Foundation

/// A strictly read JSON document, kept as its bytes and a flat list of nodes: 16 bytes per value and no copy of any
/// text, so that a `tokenizer.json` of 35 MB with two million values reads in a fraction of a second.
///
/// Strict means RFC 8259 and no more: valid UTF-8, no byte-order mark, no trailing comma, no bare control character,
/// no unpaired surrogate, nothing after the value. Depth is limited to ``maximumDepth``. Time and memory are linear in
/// the size of the document.
package final class JSONDocument: Sendable {
    /// Arrays and objects inside one another, at most.
    package static let maximumDepth = 128
    /// What the list of nodes may take beyond the document's size: several times what a tokenizer of 35 MB needs.
    private static let spareBytes = 64 << 20

    let bytes: [UInt8]
    let nodes: [JSONNode]
    /// What errors call the document.
    package let file: String

    /// - Throws: ``TextError/malformedJSON(file:offset:problem:)`` with the byte at which the document goes wrong, or
    ///   ``TextError/inconsistent(file:problem:)`` where it is so full of values that their list would take more than its
    ///   size and 64 MB.
    package init(_ bytes: [UInt8], file: String) throws(TextError) {
        self.file = file
        self.bytes = bytes
        guard bytes.count < Int(UInt32.max) else {
            throw .malformedJSON(file: file, offset: 0, problem: "the document is larger than 4 GB")
        }
        nodes = try bytes.withUnsafeBufferPointer { buffer throws(TextError) in
            let mostNodes = JSONParser.mostNodes(in: buffer)
            guard mostNodes * MemoryLayout<JSONNode>.stride <= bytes.count + Self.spareBytes else {
                throw .inconsistent(
                    file: file, problem: "its \(bytes.count) bytes hold up to \(mostNodes) values, more than any tokenizer's")
            }
            var parser = JSONParser(buffer, mostNodes: mostNodes)
            do throws(JSONParser.Failure) {
                try parser.parseDocument()
            } catch {
                throw .malformedJSON(file: file, offset: error.offset, problem: error.problem)
            }
            return parser.nodes
        }
    }

    /// Reads and parses the file at `url`, which errors call by its last path component.
    package convenience init(contentsOf url: URL) throws(TextError) {
        let data: Data
        do {
            data = try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            throw .unreadable(file: url.path, reason: (error as NSError).localizedDescription.trimmedPeriod)
        }
        try self.init([UInt8](data), file: url.path)
    }

    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

extension String {
    /// Without a final full stop, so that a system message can end one of our sentences.
    fileprivate var trimmedPeriod: String { hasSuffix(".") ? String(dropLast()) : self }
}
