import Caches
import Engine
import Models
import Results
import Schemes
import Tensors

/// What a cache scheme does to a model's predictions of a text: KL divergence from the same model with an unquantized
/// cache, agreement of the most likely token, perplexity, and whether a cache that was saved and loaded, or given to another
/// agent, gives the same bits as one that was not.
///
/// Both caches are run over the same tokens on the `reference` compute path. The noise floor is the unquantized cache on the
/// `fast` path: a scheme below it cannot be told from none.
public final class KLDExperiment: Experiment {
    public static let name = "kld"
    public static let summary = "KL divergence, perplexity and agreement of cache schemes on a text"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let baseScheme: CacheScheme
    private let schemes: [CacheScheme]
    private let windows: TextWindows
    private let maximumWindows: Int
    private let restores: Bool
    private let noiseFloor: Bool

    private struct Plan {
        let model: QualityModel
        let text: QualityText
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("texts")
        baseScheme = try CacheScheme(expression: settings.string("base_scheme"))
        schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let window = try settings.int("window", in: 2...1_000_000)
        let stride = try settings.int("stride", in: 1...1_000_000)
        maximumWindows = try settings.int("windows_per_text")
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        restores = try settings.string("restored", oneOf: ["yes", "no"]) == "yes"
        noiseFloor = try settings.string("noise_floor", oneOf: ["yes", "no"]) == "yes"
        try settings.finish()
        guard stride <= window else { throw settings.bad("stride", "is \(stride), more than the window of \(window)") }
        windows = TextWindows(window: window, stride: stride)

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let limit = model.checkpoint.configuration.contextLimit
            guard window <= limit else {
                throw settings.bad("window", "is \(window), more than the \(limit) that \(model.checkpoint.name) takes")
            }
            // A scheme that does not suit the model is refused before anything is measured.
            for scheme in schemes + [baseScheme] {
                _ = try CacheLayout(spec: model.checkpoint.configuration.cacheSpec(mlaForm: form), scheme: scheme)
            }
            for text in try texts.flatMap({
                try QualityText.read(laboratory.path($0), tokenizer: model.tokenizer, atLeast: window)
            }) {
                let name = "kld/\(model.checkpoint.name)/\(text.name)"
                guard plans[name] == nil else { throw settings.bad("texts", "holds two texts named \(text.name)") }
                plans[name] = Plan(model: model, text: text)
                cells.append(
                    Cell(name: name, cost: Double(min(maximumWindows, windows.ranges(of: text.tokens.count).count))))
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let reference = try plan.model.engine(.reference, like: laboratory.execution)
        var subjects = schemes.map { QualityPass.Subject(engine: reference, scheme: $0) }
        if noiseFloor {
            let fast = try plan.model.engine(.fast, like: laboratory.execution)
            subjects.insert(.init(engine: fast, scheme: baseScheme), at: 0)
        }
        let pass = try QualityPass(
            base: .init(engine: reference, scheme: baseScheme), subjects: subjects,
            cacheFolder: restores ? laboratory.cacheFolder : nil)
        var rows: [(schema: TableSchema, row: Row)] = []
        for (index, range) in windows.ranges(of: plan.text.tokens.count).prefix(maximumWindows).enumerated() {
            let counted = windows.counted(in: index)
            let outcomes = try pass.run(Array(plan.text.tokens[range]), counted: counted)
            for (subject, outcome) in zip(subjects, outcomes) {
                let series: Row = [
                    "model": .string(plan.model.checkpoint.name), "text": .string(plan.text.name),
                    "scheme": .string(subject.scheme.description),
                    "compute": .string(subject.engine.execution.compute.rawValue), "window": .int(Int64(index)),
                ]
                rows.append((Self.schema, series.merging(windowRow(cell, plan, outcome)) { $1 }))
                for (position, token) in zip(counted, outcome.tokens) {
                    let row: Row = [
                        "position": .int(Int64(position)), "kld": .double(token.klDivergence),
                        "delta_p": .double(token.probabilityChange),
                    ]
                    rows.append((Self.tokenSchema, series.merging(row) { $1 }))
                }
            }
        }
        return rows
    }

    private func windowRow(_ cell: Cell, _ plan: Plan, _ outcome: QualityPass.Outcome) -> Row {
        func sum(_ value: (TokenDivergence) -> Double) -> Value { .double(outcome.tokens.reduce(0) { $0 + value($1) }) }
        return [
            "cell": .string(cell.name), "weights": .string(plan.model.checkpoint.label(bits: nil)),
            "text_sha256": .string(plan.text.digest), "base_scheme": .string(baseScheme.description),
            "window_tokens": .int(Int64(windows.window)), "stride_tokens": .int(Int64(windows.stride)),
            "tokens_scored": .int(Int64(outcome.tokens.count)), "kld_sum": sum(\.klDivergence),
            "base_loss_sum": sum(\.baseLoss), "loss_sum": sum(\.loss),
            "agreements": .int(Int64(outcome.tokens.count(where: \.agrees))),
            "restored_tokens": .int(Int64(outcome.restoredTokens)),
            "restored_difference": .double(
                outcome.restoredTokens == 0 ? .nan : Double(outcome.restoredDifference)),
            "injected_difference": .double(
                outcome.restoredTokens == 0 ? .nan : Double(outcome.injectedDifference)),
            "resaved_equal": .int(outcome.restoredTokens == 0 ? -1 : outcome.resavedEqual ? 1 : 0),
        ]
    }
}
