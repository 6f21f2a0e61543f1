import Caches
import Engine
import Models
import Text

/// A document of a task in two parts: the context that is handed on, and what the last agent is asked.
struct HandedQuestion {
    /// All ids, the context's first.
    let ids: [Int32]
    let contextTokens: Int
    /// The ids of each answer, by their places in `ids`.
    let answers: [Range<Int>]
    /// How the last agent answers by itself; nil where it is only asked for the most likely tokens.
    private let generation: (scorer: GSM8KScorer, problem: GSM8K.Problem)?

    var context: ArraySlice<Int32> { ids[..<contextTokens] }

    /// What stands before "Answer:" is the context.
    /// - Returns: nil for a document that has nothing before or after it.
    init?(_ document: TaskDocument, tokenizer: Tokenizer) {
        guard let cut = document.text.range(of: "Answer:")?.lowerBound else { return nil }
        let (ids, answers) = document.tokens(tokenizer)
        self.init(ids, answers, context: document.text[..<cut], tokenizer)
    }

    /// The prompt of a problem; what stands before its last "Answer:" is the context. The published answer, which follows in
    /// `ids`, is no part of what the last agent reads: it says how sensitive answers are.
    /// - Returns: nil for a tokenizer that takes the end of the context and "Answer:" for one token.
    init?(_ problem: GSM8K.Problem, scorer: GSM8KScorer) {
        let prompt = scorer.prompt(problem)
        guard let cut = prompt.range(of: "Answer:", options: .backwards)?.lowerBound else { return nil }
        let ids = scorer.tokenizer.encode("\(prompt) \(problem.answer)\n")
        let asked = zip(scorer.tokenizer.encode(prompt), ids).prefix { $0 == $1 }.count
        self.init(ids, [asked..<ids.count], context: prompt[..<cut], scorer.tokenizer, generation: (scorer, problem))
    }

    private init?(
        _ ids: [Int32], _ answers: [Range<Int>], context: Substring, _ tokenizer: Tokenizer,
        generation: (scorer: GSM8KScorer, problem: GSM8K.Problem)? = nil
    ) {
        let before = tokenizer.encode(bytes: Array(context.utf8))
        let count = zip(before, ids).prefix { $0 == $1 }.count
        // The first token after the context is read, not predicted: no logits come with a card.
        guard count > 0, answers.allSatisfy({ $0.lowerBound > count }) else { return nil }
        (self.ids, self.answers, contextTokens, self.generation) = (ids, answers, count, generation)
    }

    /// What a cache that holds the context made of one answer.
    struct Score {
        /// Is each of its tokens the most likely one, given the right tokens before it? Generated: is its number right?
        var isRight = true
        /// Tokens whose predictions are compared: none of a generated answer, whose divergence is not a number.
        var tokens = 0
        var kldSum = 0.0
        /// Tokens at which the unhanded cache finds the same one the most likely. Generated: with which both answers begin.
        var agreements = 0
        var generatedTokens = 0
    }

    /// Logits of the tokens of the answers, one after another.
    struct Predictions {
        var logits: [Float] = []
        var best: [Int32] = []
    }

    /// Goes on with a cache that holds the context.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws.
    func predictions(_ cache: AgentCache, engine: Engine) throws -> Predictions {
        var predictions = Predictions()
        var position = contextTokens + 1
        try engine.forEachLogits(cache, Array(ids[contextTokens..<(ids.count - 1)])) { logits in
            for row in 0..<logits.rows {
                if answers.contains(where: { $0.contains(position) }) {
                    predictions.logits += logits.row(row)
                    predictions.best.append(engine.greedy(logits, row: row))
                }
                position += 1
            }
        }
        return predictions
    }

    /// The answer that an agent with a cache that holds the context comes to by itself; nil where it is not asked to.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws.
    func generated(_ cache: AgentCache) throws -> GSM8KScorer.Answer? {
        try generation.map { try $0.scorer.answer($0.problem, with: cache) }
    }

    /// Compares a generated answer with the published one, and with that of the cache that was never handed on.
    func score(_ answer: GSM8KScorer.Answer, base: GSM8KScorer.Answer) -> Score {
        Score(
            isRight: GSM8KScorer.isRight(answer.text, to: generation!.problem), kldSum: .nan,
            agreements: zip(answer.tokens, base.tokens).prefix { $0 == $1 }.count, generatedTokens: answer.tokens.count)
    }

    /// Compares predictions with those of the cache that was never handed on.
    /// - Throws: ``ExperimentsError/notFinite(scheme:position:)``, naming `what`.
    func scores(_ found: Predictions, base: Predictions, of what: String) throws -> [Score] {
        let width = base.logits.count / base.best.count
        var row = 0
        return try answers.map { answer in
            var score = Score()
            for position in answer {
                func logits(_ of: Predictions) -> ArraySlice<Float> { of.logits[(row * width)..<((row + 1) * width)] }
                let divergence = logits(base).withUnsafeBufferPointer { base in
                    logits(found).withUnsafeBufferPointer {
                        TokenDivergence(base: base, other: $0, next: ids[position])
                    }
                }
                guard let divergence else { throw ExperimentsError.notFinite(scheme: what, position: position - 1) }
                score.isRight = score.isRight && found.best[row] == ids[position]
                score.tokens += 1
                score.kldSum += divergence.klDivergence
                score.agreements += divergence.agrees ? 1 : 0
                row += 1
            }
            return score
        }
    }
}
