import CKernels
import Caches
import Models

/// Runs a model: chunked prefill and greedy decoding on agents' caches.
///
/// One thread drives an engine; the model's workers do the arithmetic.
public final class Engine {
    /// New tokens of one prefill step, as in arXiv 2603.04428.
    public static let prefillChunk = 512

    public let model: any LanguageModel
    public let execution: Execution

    public init(model: any LanguageModel, execution: Execution) {
        self.model = model
        self.execution = execution
    }

    /// Answers a short prompt on a cache that is gone afterwards, so that the first request does not pay for what comes once:
    /// pages of the weights and the workspace, threads that sleep.
    /// - Throws: what ``prefill(_:_:chunk:)`` throws.
    public func warmUp(_ layout: CacheLayout) throws {
        let cache = AgentCache(agent: "warm-up", layout: layout, pool: BlockPool(budgetBytes: .max))
        let tokens = (0..<min(64, model.contextLimit - 1)).map { Int32($0 % model.vocabularySize) }
        _ = try decode(cache, greedy(try prefill(cache, tokens), row: 0))
    }

    /// Runs `tokens` after what the cache holds, in chunks: see ``PromptCuts``.
    /// - Returns: logits of the last token.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws. Chunks that were done stay in the cache.
    @discardableResult
    public func prefill(_ cache: AgentCache, _ tokens: [Int32], chunk: Int = Engine.prefillChunk) throws -> Logits {
        try check(cache, tokens)
        let chunk = min(chunk, model.maximumStepTokens)
        let held = cache.count
        var start = 0
        while true {
            let end = PromptCuts.end(from: held + start, to: held + tokens.count, limit: chunk) - held
            let logits = try model.forward([
                SequenceStep(cache: cache, tokens: tokens[start..<end], wanted: end == tokens.count ? .last : .none)
            ])
            if end == tokens.count { return logits }
            start = end
        }
    }

    /// Runs `tokens` in chunks and gives the logits of every token, chunk by chunk, in order.
    public func forEachLogits(
        _ cache: AgentCache, _ tokens: [Int32], chunk: Int = Engine.prefillChunk, _ body: (Logits) throws -> Void
    ) throws {
        try check(cache, tokens)
        let chunk = min(chunk, model.maximumStepTokens)
        for start in stride(from: 0, to: tokens.count, by: chunk) {
            let part = tokens[start..<min(start + chunk, tokens.count)]
            try body(try model.forward([SequenceStep(cache: cache, tokens: part, wanted: .all)]))
        }
    }

    /// Finds what a later chunk would fail with before the first one is computed.
    private func check(_ cache: AgentCache, _ tokens: [Int32]) throws {
        guard !tokens.isEmpty else { throw ModelsError.emptyPrompt }
        let needed = cache.count + tokens.count
        guard needed <= model.contextLimit else {
            throw ModelsError.contextTooLong(tokens: needed, limit: model.contextLimit, model: model.name)
        }
    }

    /// One decode step of one sequence.
    /// - Returns: the most likely next token.
    public func decode(_ cache: AgentCache, _ token: Int32) throws -> Int32 {
        greedy(try model.forward([SequenceStep(cache: cache, tokens: [token], wanted: .last)]), row: 0)
    }

    /// The most likely token of a row of logits; the first of equals.
    public func greedy(_ logits: Logits, row: Int) -> Int32 {
        Int32(kl_argmax(execution.isa, logits.row(row).baseAddress!, logits.vocabularySize))
    }
}
