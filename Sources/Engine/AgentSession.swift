import Caches
import Models
import Tensors

/// One agent's conversation: what its cache already holds of a prompt is not computed again.
public final class AgentSession {
    private let engine: Engine
    public let cache: AgentCache
    private let shared: SharedPrefixes?
    /// All that was said so far: prompts and answers. Its last token need not be in the cache.
    public private(set) var transcript: [Int32]

    /// - Parameter shared: what agents hold together; nil to share nothing.
    public init(engine: Engine, cache: AgentCache, shared: SharedPrefixes? = nil) {
        self.engine = engine
        self.cache = cache
        self.shared = shared
        transcript = cache.tokens
    }

    /// What a turn gave and how long it took.
    public struct Turn: Sendable {
        public var tokens: [Int32] = []
        /// How the prompt stood to the cache.
        public var match = PromptMatch.none
        /// Prompt tokens found in the cache.
        public var hitTokens = 0
        /// Those of them that another agent had computed.
        public var sharedTokens = 0
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
        (turn.match, turn.hitTokens) = try cache.keepPrefix(of: prompt)
        if let shared {
            let own = turn.hitTokens
            turn.hitTokens = shared.extend(cache, along: prompt)
            turn.sharedTokens = turn.hitTokens - own
        }
        turn.newTokens = prompt.count - turn.hitTokens
        let start = clock.now
        let logits = try engine.prefill(cache, Array(prompt[turn.hitTokens...]))
        let computed = clock.now
        shared?.publish(cache)
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
        transcript = prompt + turn.tokens
        return turn
    }

    /// Goes on with the next phase: its tokens are put behind all that was said before, so that nothing of earlier phases
    /// is computed again.
    /// - Source: arXiv 2603.04428, "cross-phase context injection".
    /// - Throws: what ``Engine/prefill(_:_:chunk:)`` throws.
    public func inject(
        _ phase: [Int32], maximumTokens: Int, take: (Int32) -> Bool = { _ in true }
    ) throws -> Turn {
        try respond(to: transcript + phase, maximumTokens: maximumTokens, take: take)
    }
}
