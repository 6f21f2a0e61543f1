import Caches
import Engine
import Foundation
import Models
import Results
import Schemes

/// Does an agent whose cache is saved, evicted and loaded again and again say the same as one whose cache never leaves memory?
///
/// Both read the beginning of a text and go on greedily, each on its own tokens, on the compute path of the run; every logit of
/// every step is compared.
public final class ContinuationExperiment: Experiment {
    public static let name = "continuation"
    public static let summary = "tokens of an agent that is evicted and loaded while it speaks, against one that never is"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: (model: QualityModel, scheme: CacheScheme)]
    private let text: String
    private let promptTokens: Int
    private let tokens: Int
    private let evictEvery: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        text = laboratory.path(try settings.string("text"))
        let schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        promptTokens = try settings.int("prompt_tokens")
        tokens = try settings.int("tokens")
        evictEvery = try settings.int("evict_every")
        try settings.finish()
        var plans: [String: (model: QualityModel, scheme: CacheScheme)] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let configuration = model.checkpoint.configuration
            guard promptTokens + tokens <= configuration.contextLimit else {
                throw settings.bad(
                    "tokens",
                    "is \(tokens) after a prompt of \(promptTokens), more than the \(configuration.contextLimit) that "
                        + "\(model.checkpoint.name) takes")
            }
            _ = try QualityText.read(text, tokenizer: model.tokenizer, atLeast: promptTokens)
            for scheme in schemes {
                // A scheme that does not suit the model is refused before anything is measured.
                _ = try CacheLayout(spec: configuration.cacheSpec(mlaForm: form), scheme: scheme)
                let name = "continuation/\(model.checkpoint.name)/\(scheme)"
                guard plans[name] == nil else { throw settings.bad("schemes", "holds \(scheme) twice") }
                plans[name] = (model, scheme)
                cells.append(Cell(name: name, cost: Double(tokens)))
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let (model, scheme) = plans[cell.name]!
        let engine = try model.engine(laboratory.execution.compute, like: laboratory.execution)
        let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
        let pool = BlockPool(budgetBytes: .max)
        let reload = CacheReload(folder: laboratory.cacheFolder + "/continuation", engine: engine, layout: layout)
        let read = try QualityText.read(text, tokenizer: model.tokenizer, atLeast: promptTokens)[0]
        var caches = ["kept", "evicted"].map { AgentCache(agent: $0, layout: layout, pool: pool) }
        var spoken: [[Int32]] = try caches.map { cache in
            [engine.greedy(try engine.prefill(cache, Array(read.tokens.prefix(promptTokens))), row: 0)]
        }
        var (evictions, difference, resavedEqual) = (0, Float(0), true)
        while spoken[0].count < tokens {
            if spoken[0].count % evictEvery == 0 {
                let (loaded, equal) = try reload.restored(caches[1], in: pool)
                caches[1] = loaded
                evictions += 1
                resavedEqual = resavedEqual && equal
            }
            let logits = try engine.model.forward(
                zip(caches, spoken).map { SequenceStep(cache: $0, tokens: [$1.last!], wanted: .last) })
            difference = max(difference, LogitDifference.largest(logits.row(0), logits.row(1)))
            for index in spoken.indices { spoken[index].append(engine.greedy(logits, row: index)) }
        }
        let row: Row = [
            "cell": .string(cell.name), "model": .string(model.checkpoint.name), "text": .string(read.name),
            "scheme": .string(scheme.description), "compute": .string(engine.execution.compute.rawValue),
            "prompt_tokens": .int(Int64(promptTokens)), "tokens": .int(Int64(spoken[0].count)),
            "evictions": .int(Int64(evictions)), "distinct_tokens": .int(Int64(Set(spoken[0]).count)),
            "same_tokens": .int(Int64(zip(spoken[0], spoken[1]).prefix { $0 == $1 }.count)),
            "largest_difference": .double(Double(difference)), "resaved_equal": .int(resavedEqual ? 1 : 0),
        ]
        return [(Self.schema, row)]
    }

    /// One row for each model and scheme.
    public static let schema = TableSchema(
        name: "continuation", title: "An agent that is evicted and loaded while it speaks, against one that never is",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("text", .string, "Text that both read first, by its file name"),
            .init("scheme", .string, "Cache scheme"),
            .init("compute", .string, "Compute path"),
            .init("prompt_tokens", .int, units: "1", "Tokens read"),
            .init("tokens", .int, units: "1", "Tokens spoken, greedily"),
            .init("evictions", .int, units: "1", "Times that the second one's cache was saved, evicted and loaded"),
            .init("distinct_tokens", .int, units: "1", "Different tokens among those spoken"),
            .init("same_tokens", .int, units: "1", "Tokens before the first that differs; all of them, or something is wrong"),
            .init("largest_difference", .double, units: "1", "Largest difference of a logit"),
            .init("resaved_equal", .int, units: "1", "1 when saving each loaded cache wrote the same bytes"),
        ])
}
