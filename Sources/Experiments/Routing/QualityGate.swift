/// The paper's gate on generated text, which tells babble from text and no more: at least half of the tokens that were
/// asked for, no four words in a row more than five times, and words of at most 20 characters on average.
/// - Source: arXiv 2603.04428, which asks for 32 tokens of 64.
package enum QualityGate {
    package static func passes(_ text: String, tokens: Int, of maximumTokens: Int) -> Bool {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard 2 * tokens >= maximumTokens, !words.isEmpty else { return false }
        let characters = words.reduce(0) { $0 + $1.count }
        guard characters <= 20 * words.count else { return false }
        var counts: [ArraySlice<Substring>: Int] = [:]
        for start in words.indices.dropLast(3) { counts[words[start..<(start + 4)], default: 0] += 1 }
        return counts.values.allSatisfy { $0 <= 5 }
    }
}
