import Caches
import Engine
import Foundation
import Schemes
import Text

/// Answers problems of GSM8K greedily with a cache scheme; an answer is right when its number is the published one.
///
/// The model sees worked problems of the same form first, so that a model that was not tuned for dialogue answers too. They
/// are of ``TaskGenerator``, none of GSM8K's own.
public final class GSM8KScorer {
    /// Worked problems before each question.
    public static let examples = 4

    private let engine: Engine
    let tokenizer: Tokenizer
    private let layout: CacheLayout
    private let maximumTokens: Int
    private let introduction: String

    /// - Parameter maximumTokens: tokens of an answer; one that has no result by then is wrong.
    /// - Throws: ``SchemeError`` when the scheme does not suit the model's row widths.
    public init(engine: Engine, tokenizer: Tokenizer, scheme: CacheScheme, maximumTokens: Int) throws {
        self.engine = engine
        self.tokenizer = tokenizer
        self.maximumTokens = maximumTokens
        layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
        let generator = try TaskGenerator(task: .arithmetic, split: .train, seed: 1)
        introduction = (0..<Self.examples).map { generator.document($0).text + "\n" }.joined()
    }

    /// What the model reads before it answers.
    public func prompt(_ problem: GSM8K.Problem) -> String { introduction + "Question: \(problem.question)\nAnswer:" }

    /// What the model said by itself.
    struct Answer {
        var text = ""
        /// All that was generated, a token that ends the answer too.
        var tokens: [Int32] = []
    }

    /// - Returns: whether the number after "####" of the model's answer is that of the published one.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws, a prompt that is too long for the model among it.
    public func score(_ problem: GSM8K.Problem) throws -> Bool {
        let cache = AgentCache(agent: "gsm8k", layout: layout, pool: BlockPool(budgetBytes: .max))
        return Self.isRight(try answer(problem, with: cache).text, to: problem)
    }

    /// Answers with a cache that holds the first tokens of the prompt, or none; the others are computed.
    /// - Throws: as ``score(_:)``.
    func answer(_ problem: GSM8K.Problem, with cache: AgentCache) throws -> Answer {
        var stream = tokenizer.streamDecoder()
        var answer = Answer()
        let stops = Set(tokenizer.specialTokens.stopIDs)
        let held = cache.count
        let turn = try AgentSession(engine: engine, cache: cache).respond(
            to: tokenizer.encode(prompt(problem)), maximumTokens: maximumTokens
        ) { token in
            guard !stops.contains(token) else { return false }
            answer.text += stream.push(token)
            return !Self.isComplete(answer.text)
        }
        precondition(turn.hitTokens == held, "the prompt begins with what the cache holds")
        answer.text += stream.finish()
        answer.tokens = turn.tokens
        return answer
    }

    /// Is there a line with a result, and its end?
    static func isComplete(_ answer: String) -> Bool {
        answer.range(of: "####").map { answer[$0.upperBound...].contains("\n") } ?? false
    }

    /// Compares numbers, not texts: "12.0" is 12.
    public static func isRight(_ answer: String, to problem: GSM8K.Problem) -> Bool {
        guard let own = GSM8K.result(of: answer).flatMap(Double.init) else { return false }
        return own == GSM8K.result(of: problem.answer).flatMap(Double.init)
    }
}
