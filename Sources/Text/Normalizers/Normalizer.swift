/// A change to the text before it is cut into pieces. Valid UTF-8 stays valid UTF-8.
package protocol Normalizer: Sendable {
    func normalize(_ text: inout [UInt8])
}

/// Puts a prefix before every text that is not empty (Llama 2: "▁").
struct PrependNormalizer: Normalizer {
    let prefix: [UInt8]

    func normalize(_ text: inout [UInt8]) {
        if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
    }
}

/// Writes one fixed text for every occurrence of another (Gemma: "▁" for a space).
struct ReplaceNormalizer: Normalizer {
    let pattern: LiteralPattern
    let content: [UInt8]

    func normalize(_ text: inout [UInt8]) { text = replaced(in: text) }

    func replaced(in text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { buffer in
            var out: [UInt8] = []
            out.reserveCapacity(buffer.count + buffer.count / 2)
            var at = 0
            while let match = pattern.nextMatch(in: buffer, from: at, end: buffer.count) {
                out.append(contentsOf: buffer[at..<match.lowerBound])
                out.append(contentsOf: content)
                at = match.upperBound
            }
            out.append(contentsOf: buffer[at...])
            return out
        }
    }
}

/// Several normalizers, one after the other.
struct SequenceNormalizer: Normalizer {
    let steps: [any Normalizer]

    func normalize(_ text: inout [UInt8]) {
        for step in steps { step.normalize(&text) }
    }
}
