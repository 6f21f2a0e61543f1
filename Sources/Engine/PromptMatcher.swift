import Caches
import Text

/// Compares the text of a prompt with what an agent's cache holds, and makes of it the tokens that reuse the most.
///
/// Texts are compared character by character, so that a cache whose text was cut into other tokens, as happens where one
/// phase ended and the next goes on, still matches. What is reused is then the longest prefix of the cached tokens that
/// ends within the common text; the rest of the prompt is encoded behind it.
/// - Source: arXiv 2603.04428, "EXACT / EXTEND / DIVERGE".
public struct PromptMatcher: Sendable {
    /// How a prompt stands to a cache.
    public struct Result: Sendable, Equatable {
        public let match: PromptMatch
        /// Characters (Unicode scalars) that the two texts share from the beginning.
        public let commonCharacters: Int
        /// The prompt's tokens, to be given to the agent.
        public let tokens: [Int32]
        /// How many of them are the cache's.
        public let sharedTokens: Int
    }

    private let tokenizer: Tokenizer
    /// What the tokenizer puts before every text.
    private let lead: [Int32]

    public init(tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        lead = tokenizer.encode("")
    }

    /// Matches `text` with the tokens of a cache. Time is linear in the two.
    ///
    /// A cache of "The cat sat" and a prompt "The cat ran" are of the kind `diverge` and share 8 characters; if "The" and
    /// " cat" are tokens, two tokens are reused and " ran" is encoded behind them.
    public func match(cached: [Int32], text: String) -> Result {
        guard !cached.isEmpty else { return encoded(text, cached: cached, .none, characters: 0) }
        let hasLead = cached.starts(with: lead)
        let (cachedText, ends) = decode(hasLead ? cached.dropFirst(lead.count) : cached[...])
        let (match, common) = PromptMatch.compare(cachedText.utf8, text.utf8)
        let characters = Self.wholeCharacters(text, bytes: common)
        guard hasLead, let kept = ends.last(where: { $0.bytes <= common }) else {
            return encoded(text, cached: cached, match, characters: characters)
        }
        let prefix = cached.prefix(lead.count + kept.tokens)
        let rest = String(decoding: text.utf8.dropFirst(kept.bytes), as: UTF8.self)
        let tokens = prefix + tokenizer.encode(rest, addSpecialTokens: false)
        // A tokenizer may write the beginning of a text otherwise than its middle: then only whole encodings are right.
        guard tokenizer.decode(tokens.dropFirst(lead.count)) == text else {
            return encoded(text, cached: cached, match, characters: characters)
        }
        return Result(
            match: match, commonCharacters: characters, tokens: Array(tokens), sharedTokens: prefix.count)
    }

    /// The text of tokens, and after which of them how many bytes of it are complete.
    private func decode(_ tokens: ArraySlice<Int32>) -> (text: String, ends: [(tokens: Int, bytes: Int)]) {
        var decoder = tokenizer.streamDecoder(skipSpecialTokens: false)
        var text = ""
        var ends = [(tokens: 0, bytes: 0)]
        for (index, token) in tokens.enumerated() {
            text += decoder.push(token)
            var rest = decoder
            if rest.finish().isEmpty { ends.append((index + 1, text.utf8.count)) }
        }
        return (text + decoder.finish(), ends)
    }

    private func encoded(_ text: String, cached: [Int32], _ match: PromptMatch, characters: Int) -> Result {
        let tokens = tokenizer.encode(text)
        return Result(
            match: match, commonCharacters: characters, tokens: tokens,
            sharedTokens: zip(tokens, cached).prefix { $0 == $1 }.count)
    }

    private static func wholeCharacters(_ text: String, bytes: Int) -> Int {
        var end = 0
        return text.unicodeScalars.prefix { scalar in
            end += UTF8.width(scalar)
            return end <= bytes
        }.count
    }
}
