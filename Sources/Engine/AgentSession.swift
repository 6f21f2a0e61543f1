import Caches
import Models
import Tensors

/// One agent's conversation: what its cache already holds of a prompt is not computed again.
public final class AgentSession {
    private let engine: Engine
    public let cache: AgentCache

    public init(engine: Engine, cache: AgentCache) {
        self.engine = engine
        self.cache = cache
    }

    /// What a turn gave and how long it took.
    public struct Turn: Sendable {
        public var tokens: [Int32] = []
        /// Prompt tokens found in the cache.
        public var hitTokens = 0
        /// Prompt tokens computed.
        public var newTokens = 0
        /// The forward passes over the new prompt tokens.
        public var forwardSeconds = 0.0
        /// From logits to the first token.
        public var sampleSeconds = 0.0
        /// One entry per token after the first.
        public var stepSeconds: [Double] = []
    }

    /// Answers `prompt` with `maximumTokens` tokens, greedily.
    ///
    /// The longest common prefix of the prompt and the cache is kept, all but the prompt's last token at most, whose
    /// logits are needed. Where windowed layers cannot go back that far, everything is computed again.
    /// - Parameter take: gets each token as it comes, and says whether to go on.
    /// - Throws: what ``Engine/prefill(_:_:chunk:)`` throws.
    public func respond(
        to prompt: [Int32], maximumTokens: Int, take: (Int32) -> Bool = { _ in true }
    ) throws -> Turn {
        let clock = ContinuousClock()
        var turn = Turn()
        turn.hitTokens = try keepPrefix(of: prompt)
        turn.newTokens = prompt.count - turn.hitTokens
        let start = clock.now
        let logits = try engine.prefill(cache, Array(prompt[turn.hitTokens...]))
        let computed = clock.now
        turn.tokens.append(engine.greedy(logits, row: 0))
        var mark = clock.now
        turn.forwardSeconds = (computed - start).seconds
        turn.sampleSeconds = (mark - computed).seconds
        while take(turn.tokens.last!), turn.tokens.count < maximumTokens {
            turn.tokens.append(try engine.decode(cache, turn.tokens.last!))
            let now = clock.now
            turn.stepSeconds.append((now - mark).seconds)
            mark = now
        }
        return turn
    }

    /// Takes the cache back to what it shares with `prompt`.
    /// - Returns: tokens kept.
    private func keepPrefix(of prompt: [Int32]) throws -> Int {
        guard !prompt.isEmpty else { throw ModelsError.emptyPrompt }
        let common = zip(prompt, cache.tokens).prefix { $0 == $1 }.count
        let wanted = min(common, prompt.count - 1)
        let kept = cache.truncatable.contains(wanted) ? wanted : 0
        try cache.truncate(to: kept)
        return kept
    }
}
