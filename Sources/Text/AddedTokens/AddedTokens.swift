/// All added tokens of a tokenizer, and the search for them.
///
/// The rules are those of `AddedVocabulary` in Hugging Face tokenizers 0.23: tokens that are not normalized are found
/// first, in the text as it is; then the stretches between them are normalized, and in each the normalized tokens are
/// found.
struct AddedTokens: Sendable {
    /// A stretch of a text: an added token, or text between two of them.
    struct Stretch: Equatable {
        var range: Range<Int>
        var id: Int32?
    }

    /// Tokens that are found in one of the two passes.
    private struct Pass: Sendable {
        var tokens: [AddedToken] = []
        var trie = TokenTrie([])
    }

    let tokens: [AddedToken]
    /// One more than the highest id, 0 without tokens.
    let idEnd: Int
    private let byID: [Int32: Int]
    private let literal: Pass
    private let normalized: Pass
    /// Id → normalized content, where it differs: what is decoded, as in tokenizers.
    private let decodedTexts: [Int32: [UInt8]]

    /// - Throws: ``TextError/inconsistent(file:problem:)`` where two tokens would be found at the same text.
    init(_ tokens: [AddedToken], normalizer: (any Normalizer)?, file: String) throws(TextError) {
        self.tokens = tokens
        idEnd = (tokens.map { Int($0.id) }.max() ?? -1) + 1
        byID = Dictionary(tokens.indices.map { (tokens[$0].id, $0) }, uniquingKeysWith: { $1 })
        var decodedTexts: [Int32: [UInt8]] = [:]
        for token in tokens where token.isNormalized {
            var text = token.content
            normalizer?.normalize(&text)
            if text != token.content { decodedTexts[token.id] = text }
        }
        self.decodedTexts = decodedTexts
        literal = try Self.pass(tokens.filter { !$0.isNormalized }, [:], file)
        normalized = try Self.pass(tokens.filter(\.isNormalized), decodedTexts, file)
    }

    private static func pass(
        _ tokens: [AddedToken], _ normalizedTexts: [Int32: [UInt8]], _ file: String
    ) throws(TextError) -> Pass {
        let texts = tokens.map { normalizedTexts[$0.id] ?? $0.content }
        guard !texts.contains([]) else { throw .inconsistent(file: file, problem: "an added token has no text") }
        var seen: Set<[UInt8]> = []
        for text in texts where !seen.insert(text).inserted {
            let name = String(decoding: text, as: UTF8.self)
            throw .inconsistent(file: file, problem: "two added tokens have the text '\(name)'")
        }
        return Pass(tokens: tokens, trie: TokenTrie(texts))
    }

    func token(_ id: Int32) -> AddedToken? { byID[id].map { tokens[$0] } }

    /// What a decoder sees for an added token.
    func decodedText(_ token: AddedToken) -> [UInt8] { decodedTexts[token.id] ?? token.content }

    /// Cuts a text that has not been normalized at the tokens that are not normalized.
    func splitLiteral(_ text: UTF8Text) -> [Stretch] { split(text, literal) }

    /// Cuts a normalized text at the normalized tokens.
    func splitNormalized(_ text: UTF8Text) -> [Stretch] { split(text, normalized) }

    private func split(_ text: UTF8Text, _ pass: Pass) -> [Stretch] {
        var stretches: [Stretch] = []
        var done = 0
        var at = 0
        while let (index, match) = pass.trie.nextMatch(in: text, from: at) {
            at = match.upperBound
            let token = pass.tokens[index]
            if token.isSingleWord, isInWord(text, match) { continue }
            var start = match.lowerBound
            var end = match.upperBound
            if token.stripsLeft { start = max(spaceStart(text, before: start), done) }
            if token.stripsRight { end = text.runEnd(of: .space, from: end, end: text.count) }
            if done < start { stretches.append(Stretch(range: done..<start, id: nil)) }
            stretches.append(Stretch(range: min(start, end)..<end, id: token.id))
            done = end
        }
        if done != text.count { stretches.append(Stretch(range: done..<text.count, id: nil)) }
        return stretches
    }

    private func isInWord(_ text: UTF8Text, _ match: Range<Int>) -> Bool {
        if match.lowerBound > 0 {
            let before = text.scalarStart(before: match.lowerBound)
            if WordCharacter.contains(text.scalar(at: before).value) { return true }
        }
        return match.upperBound < text.count && WordCharacter.contains(text.scalar(at: match.upperBound).value)
    }

    /// Where the run of white space that ends before `end` starts.
    private func spaceStart(_ text: UTF8Text, before end: Int) -> Int {
        var start = end
        while start > 0 {
            let before = text.scalarStart(before: start)
            guard CharacterClass.of(text.scalar(at: before).value) == .space else { break }
            start = before
        }
        return start
    }
}
