import Caches
import Models
import Schemes
import Tensors

/// Measures prefill and decode speed at a depth, in the manner of llama-bench.
///
/// The context below the depth is synthetic rows in the chosen scheme; nothing of filling it is timed.
public final class SpeedBench {
    /// One thing to measure.
    public enum Test: Sendable, Equatable, CustomStringConvertible {
        /// `tokens` prompt tokens after `depth` tokens.
        case prompt(tokens: Int, depth: Int)
        /// `tokens` decode steps of `batch` sequences of `depth` tokens each.
        case generate(tokens: Int, depth: Int, batch: Int)

        public var description: String {
            switch self {
            case .prompt(let tokens, let depth): "pp\(tokens)" + (depth > 0 ? " @ d\(depth)" : "")
            case .generate(let tokens, let depth, let batch):
                "tg\(tokens)" + (depth > 0 ? " @ d\(depth)" : "") + (batch > 1 ? " x b\(batch)" : "")
            }
        }

        package var tokensAtTheEnd: Int {
            switch self {
            case .prompt(let tokens, let depth): depth + tokens
            case .generate(let tokens, let depth, _): depth + tokens + 1
            }
        }
    }

    private let engine: Engine
    private let layout: CacheLayout
    private let context: SyntheticContext
    /// The most bytes that the caches of one test took.
    public private(set) var peakCacheBytes = 0

    /// - Throws: ``SchemeError`` when the scheme does not suit the model's row widths.
    public init(engine: Engine, scheme: CacheScheme, seed: UInt64 = 1) throws {
        self.engine = engine
        layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
        context = try SyntheticContext(layout: layout, seed: seed, execution: engine.execution)
    }

    /// Runs `test` once.
    /// - Returns: tokens per second, of all sequences together.
    /// - Throws: ``ModelsError/contextTooLong(tokens:limit:model:)`` before anything is filled.
    public func run(_ test: Test) throws -> Double {
        let limit = engine.model.contextLimit
        guard test.tokensAtTheEnd <= limit else {
            throw ModelsError.contextTooLong(tokens: test.tokensAtTheEnd, limit: limit, model: engine.model.name)
        }
        let pool = BlockPool(budgetBytes: .max)
        defer { peakCacheBytes = max(peakCacheBytes, pool.peakBytes) }
        let clock = ContinuousClock()
        switch test {
        case .prompt(let tokens, let depth):
            let cache = try filled(depth, pool)
            let prompt = (0..<tokens).map { Int32(($0 &* 7919) % engine.model.vocabularySize) }
            let start = clock.now
            try engine.prefill(cache, prompt)
            return Double(tokens) / (clock.now - start).seconds
        case .generate(let tokens, let depth, let batch):
            let caches = try (0..<batch).map { _ in try filled(depth, pool) }
            var last = [Int32](repeating: 1, count: batch)
            // One step that is not timed: the tail blocks are there afterwards.
            try step(caches, &last)
            let start = clock.now
            for _ in 0..<tokens { try step(caches, &last) }
            return Double(tokens * batch) / (clock.now - start).seconds
        }
    }

    private func filled(_ depth: Int, _ pool: BlockPool) throws -> AgentCache {
        let cache = AgentCache(agent: "bench", layout: layout, pool: pool)
        try context.fill(cache, to: depth)
        return cache
    }

    private func step(_ caches: [AgentCache], _ last: inout [Int32]) throws {
        let logits = try engine.model.forward(
            zip(caches, last).map { SequenceStep(cache: $0, tokens: [$1], wanted: .last) })
        for index in last.indices { last[index] = engine.greedy(logits, row: index) }
    }
}
