import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Does the error of a quantized cache grow: with the position in a document that is read, and with the number of tokens that
/// were decoded?
///
/// - `read`: a document is prefilled, every token of it after the last one's position.
/// - `generated`: a prompt is prefilled; then token after token is decoded, every cache on the greedy continuation of the
///   unquantized one, so that all see the same tokens and only the cache differs.
/// - `followed`: the same, on the document's own tokens, which repeat themselves less.
public final class DriftExperiment: Experiment {
    public static let name = "drift"
    public static let summary = "KL divergence against position and against the number of decoded tokens"

    /// How tokens came.
    public enum Way: String, CaseIterable, Sendable { case read, generated, followed }

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let baseScheme: CacheScheme
    private let schemes: [CacheScheme]
    private let promptTokens: Int
    private let decodedTokens: Int

    private struct Plan {
        let model: QualityModel
        let text: QualityText
        let way: Way
        /// Tokens of the text at work.
        let tokens: Int
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("texts")
        let ways = try settings.strings("ways", oneOf: Way.allCases.map(\.rawValue)).map { Way(rawValue: $0)! }
        let documents = try settings.int("documents")
        baseScheme = try CacheScheme(expression: settings.string("base_scheme"))
        schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        let readTokens = try settings.int("read_tokens", in: 2...1_000_000)
        promptTokens = try settings.int("prompt_tokens")
        decodedTokens = try settings.int("decoded_tokens")
        try settings.finish()
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let configuration = model.checkpoint.configuration
            for (key, tokens) in [("read_tokens", readTokens), ("decoded_tokens", promptTokens + decodedTokens)] {
                guard tokens <= configuration.contextLimit else {
                    throw settings.bad(
                        key,
                        "needs \(tokens) tokens, more than the \(configuration.contextLimit) that "
                            + "\(model.checkpoint.name) takes")
                }
            }
            // A scheme that does not suit the model is refused before anything is measured.
            for scheme in schemes + [baseScheme] {
                _ = try CacheLayout(spec: configuration.cacheSpec(mlaForm: form), scheme: scheme)
            }
            for way in ways {
                let tokens = way == .read ? readTokens : promptTokens + (way == .followed ? decodedTokens : 0)
                let all = try texts.flatMap {
                    try QualityText.read(laboratory.path($0), tokenizer: model.tokenizer, atLeast: tokens)
                }
                for text in all.prefix(documents) {
                    let name = "drift/\(model.checkpoint.name)/\(way.rawValue)/\(text.name)"
                    guard plans[name] == nil else { throw settings.bad("texts", "holds two texts named \(text.name)") }
                    plans[name] = Plan(model: model, text: text, way: way, tokens: tokens)
                    // A token that is decoded takes about as long as ten that are read.
                    cells.append(Cell(name: name, cost: Double(way == .read ? tokens : promptTokens + 10 * decodedTokens)))
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let tokens = Array(plan.text.tokens.prefix(plan.tokens))
        let series: [[TokenDivergence]]
        if plan.way == .read {
            let pass = try QualityPass(
                base: .init(engine: engine, scheme: baseScheme), subjects: schemes.map { .init(engine: engine, scheme: $0) },
                cacheFolder: nil)
            series = try pass.run(tokens, counted: 1..<tokens.count).map(\.tokens)
        } else {
            series = try DecodePass(engine: engine, base: baseScheme, schemes: schemes).run(
                Array(tokens.prefix(promptTokens)), following: plan.way == .followed ? tokens[promptTokens...] : nil,
                count: decodedTokens)
        }
        return zip(schemes, series).flatMap { scheme, divergences in
            divergences.enumerated().map { index, token in
                let row: Row = [
                    "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name), "text": .string(plan.text.name),
                    "base_scheme": .string(baseScheme.description), "scheme": .string(scheme.description),
                    "way": .string(plan.way.rawValue),
                    "prompt_tokens": .int(plan.way == .read ? 0 : Int64(promptTokens)),
                    // The first of a text that is read, and of a continuation, is predicted from what was read before it.
                    "place": .int(Int64(index + 1)), "kld": .double(token.klDivergence), "agrees": .int(token.agrees ? 1 : 0),
                ]
                return (Self.schema, row)
            }
        }
    }

    /// One row for each model, text, scheme, way and token.
    public static let schema = TableSchema(
        name: "drift", title: "KL divergence by position and by the number of decoded tokens",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("text", .string, "Text, by its file name"),
            .init("base_scheme", .string, "Cache scheme of the base"),
            .init("scheme", .string, "Cache scheme compared with the base; every position reads what it stores"),
            .init("way", .string, "read: prefilled; generated: decoded on the base's greedy tokens; followed: on the text's"),
            .init("prompt_tokens", .int, units: "1", "Tokens that were prefilled before any was decoded"),
            .init("place", .int, units: "1", "Position in the text, or tokens decoded, from 1"),
            .init("kld", .double, units: "1", "KL(base, scheme) in nats"),
            .init("agrees", .int, units: "1", "1 when both find the same token the most likely"),
        ])
}
