import Caches
import Engine
import Models
import Schemes
import Text

/// Scores task documents with a cache scheme.
///
/// An answer is right when each of its tokens is the most likely one given the right tokens before it. The whole document
/// goes through the cache once, which is how many answers can be scored in the time of one greedy answer.
public final class TaskScorer {
    private let engine: Engine
    private let tokenizer: Tokenizer
    private let layout: CacheLayout

    /// - Throws: ``SchemeError`` when the scheme does not suit the model's row widths.
    public init(engine: Engine, tokenizer: Tokenizer, scheme: CacheScheme) throws {
        self.engine = engine
        self.tokenizer = tokenizer
        layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
    }

    /// - Returns: for each answer of the document whether it is right.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws, a document that is too long for the model among it.
    public func score(_ document: TaskDocument) throws -> [Bool] {
        let (ids, answers) = document.tokens(tokenizer)
        let cache = AgentCache(agent: "tasks", layout: layout, pool: BlockPool(budgetBytes: .max))
        var right = [Bool](repeating: true, count: answers.count)
        var position = 1
        try engine.forEachLogits(cache, Array(ids.dropLast())) { logits in
            for row in 0..<logits.rows {
                if let asked = answers.firstIndex(where: { $0.contains(position) }),
                    engine.greedy(logits, row: row) != ids[position]
                {
                    right[asked] = false
                }
                position += 1
            }
        }
        return right
    }
}
