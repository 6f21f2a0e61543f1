import Foundation
import Testing
import Text

/// Compares with the ids and texts that `make oracle` writes; runs only then.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["KVLAB_ORACLE"] != nil))
struct LibraryTests {
    @Test func equalsLibraries() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["KVLAB_ORACLE"])
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/texts.tsv"))
        var tokenizers: [String: Tokenizer] = [:]
        var counts: [String: (cases: Int, ids: Int, wrong: Int)] = [:]
        for line in data.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            let name = String(decoding: fields[0], as: UTF8.self)
            if tokenizers[name] == nil { tokenizers[name] = try tokenizer(name) }
            let tokenizer = try #require(tokenizers[name])
            let text = bytes(fields[1])
            let golden = fields[2].split(separator: UInt8(ascii: ",")).map {
                Int32(String(decoding: $0, as: UTF8.self)) ?? -1
            }
            let decoded = bytes(fields[3])

            let ids = tokenizer.encode(bytes: text, addSpecialTokens: false)
            var stream = tokenizer.streamDecoder(skipSpecialTokens: false)
            let parts = golden.map { stream.push($0) }.joined() + stream.finish()
            let isRight =
                ids == golden && Array(tokenizer.decode(golden).utf8) == decoded && Array(parts.utf8) == decoded
            var count = counts[name] ?? (0, 0, 0)
            if !isRight, count.wrong < 5 {
                Issue.record(
                    "\(name): \(String(decoding: text, as: UTF8.self).debugDescription): \(ids), not \(golden)")
            }
            count = (count.cases + 1, count.ids + golden.count, count.wrong + (isRight ? 0 : 1))
            counts[name] = count
        }
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            print("\(name): \(count.cases) texts, \(count.ids) ids, \(count.wrong) wrong")
            #expect(count.wrong == 0)
        }
    }

    private func bytes(_ hex: Data.SubSequence) -> [UInt8] {
        let value = { (digit: UInt8) in digit < 0x3A ? digit - 0x30 : digit - 0x57 }
        return stride(from: hex.startIndex, to: hex.endIndex, by: 2).map { value(hex[$0]) << 4 | value(hex[$0 + 1]) }
    }

    private func tokenizer(_ name: String) throws -> Tokenizer {
        guard name.hasPrefix("sentencepiece/") else { return try Fixtures.tokenizer(name) }
        return try Tokenizer(gguf: try Fixtures.sentencePieceMetadata(String(name.dropFirst("sentencepiece/".count))))
    }
}
