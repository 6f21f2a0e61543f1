import Caches
import Engine
import Models

/// One context about to be handed on: the first agent's cache, what was measured while it was read, and what it answers
/// itself.
final class Handing {
    let question: HandedQuestion
    let chain: HopChain
    private var base = HandedQuestion.Predictions()
    /// Attention that the last rows of the context give to each of its tokens.
    let attention: [Double]
    /// Elements of keys and values on a card of the context.
    let elements: Int
    private let ladder: PrecisionLadder
    private let original: CacheCard
    /// The first agent's own answer, where answers are generated.
    private let generated: GSM8KScorer.Answer?

    /// Reads the context.
    /// - Parameter probeTokens: the last rows of the context whose attention is measured.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws.
    init(_ question: HandedQuestion, _ chain: HopChain, ladder: PrecisionLadder, probeTokens: Int) throws {
        self.question = question
        self.chain = chain
        self.ladder = ladder
        elements = ladder.elements(of: question.contextTokens)
        let cache = chain.cache(0)
        let context = Array(question.context)
        let probe = context.suffix(probeTokens)
        if probe.startIndex > 0 { try chain.engine.prefill(cache, Array(context[..<probe.startIndex])) }
        let mass = AttentionMass()
        // All logits are wanted, so that the last layer attends too.
        _ = try chain.engine.model.forward([SequenceStep(cache: cache, tokens: probe, wanted: .all, mass: mass)])
        attention = mass.tokens
        original = try chain.engine.card(of: cache)
        generated = try question.generated(cache)
        base = try question.predictions(generated == nil ? cache : sender(), engine: chain.engine)
    }

    /// The first agent's cache as it was when it had read the context.
    func sender() throws -> AgentCache {
        let cache = chain.cache(0)
        try chain.engine.inject(original, into: cache)
        return cache
    }

    /// The answers of the first agent.
    func ownScores() throws -> [HandedQuestion.Score] {
        try generated.map { [question.score($0, base: $0)] } ?? question.scores(base, base: base, of: HopsExperiment.none)
    }

    /// The answers of an agent whose cache holds the context.
    func scores(_ cache: AgentCache, of what: String) throws -> [HandedQuestion.Score] {
        guard let generated else { return try predicted(cache, of: what) }
        return [question.score(try question.generated(cache)!, base: generated)]
    }

    /// What a cache that holds the context makes of the given answers, token by token; those of GSM8K are the published ones.
    func predicted(_ cache: AgentCache, of what: String) throws -> [HandedQuestion.Score] {
        try question.scores(question.predictions(cache, engine: chain.engine), base: base, of: what)
    }

    /// What the answers lose when `block` neighbouring tokens alone are on the ladder's lowest rung and all others on its
    /// highest: their KL divergence in nats, in equal parts on the block's tokens.
    func sensitivity(block: Int) throws -> [Double] {
        let count = question.contextTokens
        let (coarse, fine) = (ladder.rungs.first!.scheme, ladder.rungs.last!.scheme)
        guard block < count else { return Array(repeating: 1, count: count) }
        return try stride(from: 0, to: count, by: block).flatMap { start -> [Double] in
            let own = start..<min(count, start + block)
            let precision = CardPrecision(schemes: [coarse, fine], tokens: (0..<count).map { own.contains($0) ? 0 : 1 })
            var loss = 0.0
            try chain.run(from: sender(), precisions: [precision]) { arrival in
                loss = try predicted(arrival.cache, of: "oracle").reduce(0) { $0 + $1.kldSum }
            }
            return Array(repeating: loss / Double(own.count), count: own.count)
        }
    }
}
