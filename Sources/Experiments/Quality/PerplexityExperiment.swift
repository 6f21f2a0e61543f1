import Caches
import Engine
import Foundation
import Models
import Results
import Schemes

/// Perplexity with an unquantized cache and with quantized ones, in the paper's protocol and in one whose windows are longer
/// than the model's sliding window.
///
/// Every position of every window reads what the cache stores, and all caches are run over the same tokens side by side, on
/// the `reference` compute path.
public final class PerplexityExperiment: Experiment {
    public static let name = "perplexity"
    public static let summary = "perplexity with quantized caches, in the paper's protocol and in a corrected one"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let baseScheme: CacheScheme
    private let schemes: [CacheScheme]

    private struct Plan {
        let model: QualityModel
        let corpus: QualityCorpus
        let form: PerplexityProtocol
        let windows: [PerplexityProtocol.Window]
        let kin: (paperModel: String, shape: String)
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("text").map(laboratory.path)
            + settings.strings("text_if_there").map(laboratory.path).filter(FileManager.default.fileExists)
        baseScheme = try CacheScheme(expression: settings.string("base_scheme"))
        schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let mlaForm = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        let names = try settings.strings("protocols", oneOf: ["paper", "corrected"])
        let window = try settings.int("window", in: 2...1_000_000)
        let stride = try settings.int("stride", in: 1...1_000_000)
        let paper = PerplexityProtocol.paper(windows: try settings.int("paper_windows"))
        let perDocument = try settings.int("windows_per_document")
        try settings.finish()
        guard stride <= window else { throw settings.bad("stride", "is \(stride), more than the window of \(window)") }
        let corrected = PerplexityProtocol.corrected(
            TextWindows(window: window, stride: stride), windowsPerDocument: perDocument)
        let protocols = [paper, corrected].filter { names.contains($0.name) }

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: mlaForm) {
            let configuration = model.checkpoint.configuration
            let longest = protocols.map(\.windows.window).max()!
            guard longest <= configuration.contextLimit else {
                throw settings.bad(
                    "window", "is \(longest), more than the \(configuration.contextLimit) that \(model.checkpoint.name) takes")
            }
            if names.contains("corrected"), let sliding = model.slidingWindow, window <= sliding {
                throw settings.bad(
                    "window", "is \(window), within the sliding window of \(sliding) that \(model.checkpoint.name) has")
            }
            // A scheme that does not suit the model is refused before anything is measured.
            for scheme in schemes + [baseScheme] {
                _ = try CacheLayout(spec: configuration.cacheSpec(mlaForm: mlaForm), scheme: scheme)
            }
            let kin = try model.kin(in: laboratory)
            let start = model.tokenizer.specialTokens.bos?.id
            for corpus in try texts.map({ try QualityCorpus(path: $0, tokenizer: model.tokenizer) }) {
                for form in protocols {
                    let stretch = form.longestStretch(corpus.documents, start: start)
                    guard stretch >= form.windows.window else {
                        throw ExperimentsError.shortText(file: corpus.path, tokens: stretch, window: form.windows.window)
                    }
                    let name = "perplexity/\(model.checkpoint.name)/\(corpus.name)/\(form.name)"
                    guard plans[name] == nil else {
                        throw settings.bad("text", "and 'text_if_there' hold two texts named \(corpus.name)")
                    }
                    let windows = form.cut(corpus.documents, start: start)
                    plans[name] = Plan(model: model, corpus: corpus, form: form, windows: windows, kin: kin)
                    cells.append(Cell(name: name, cost: Double(windows.reduce(0) { $0 + $1.tokens.count })))
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let pass = try QualityPass(
            base: .init(engine: engine, scheme: baseScheme),
            subjects: schemes.map { QualityPass.Subject(engine: engine, scheme: $0) }, cacheFolder: nil,
            stepTokens: min(plan.form.stepTokens, engine.model.maximumStepTokens))
        return try plan.windows.enumerated().flatMap { index, window in
            try zip(schemes, pass.run(window.tokens, counted: window.counted)).map { scheme, outcome in
                (Self.schema, row(cell, plan, index, window, scheme, outcome.tokens))
            }
        }
    }

    private func row(
        _ cell: Cell, _ plan: Plan, _ index: Int, _ window: PerplexityProtocol.Window, _ scheme: CacheScheme,
        _ tokens: [TokenDivergence]
    ) -> Row {
        func sum(_ value: (TokenDivergence) -> Double) -> Value { .double(tokens.reduce(0) { $0 + value($1) }) }
        let start = plan.model.tokenizer.specialTokens.bos == nil ? "none" : plan.form.startToken.rawValue
        return [
            "cell": .string(cell.name), "protocol": .string(plan.form.name),
            "model": .string(plan.model.checkpoint.name), "paper_model": .string(plan.kin.paperModel),
            "same_shape_as": .string(plan.kin.shape), "weights": .string(plan.model.checkpoint.label(bits: nil)),
            "sliding_window_tokens": .int(Int64(plan.model.slidingWindow ?? 0)), "text": .string(plan.corpus.name),
            "text_sha256": .string(plan.corpus.digest), "documents": .int(Int64(plan.corpus.documents.count)),
            "start_token": .string(start), "base_scheme": .string(baseScheme.description),
            "scheme": .string(scheme.description), "window": .int(Int64(index)),
            "window_tokens": .int(Int64(window.tokens.count)), "stride_tokens": .int(Int64(plan.form.windows.stride)),
            "step_tokens": .int(Int64(plan.form.stepTokens)), "tokens_scored": .int(Int64(tokens.count)),
            "base_loss_sum": sum(\.baseLoss), "loss_sum": sum(\.loss), "kld_sum": sum(\.klDivergence),
            "first_kld": .double(window.counted.lowerBound == 1 ? tokens[0].klDivergence : .nan),
        ]
    }

    /// One row for each model, text, protocol, scheme and window.
    public static let schema = TableSchema(
        name: "perplexity", title: "Perplexity with a cache scheme and with an unquantized cache, by window",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("protocol", .string, "paper: joined text, short windows; corrected: documents apart, long windows"),
            .init("model", .string, "Checkpoint"),
            .init("paper_model", .string, "Published model of the same class"),
            .init("same_shape_as", .string, "Shape with the same caches and vocabulary; empty: none"),
            .init("weights", .string, "What the weights are in memory"),
            .init("sliding_window_tokens", .int, units: "1", "Largest sliding window of its layers; 0: none"),
            .init("text", .string, "Text, by the name of its file or folder"),
            .init("text_sha256", .string, "SHA-256 of the text"),
            .init("documents", .int, units: "1", "Documents of the text"),
            .init("start_token", .string, "Where the start token stands: text, its beginning; window, each; none"),
            .init("base_scheme", .string, "Cache scheme of the base"),
            .init("scheme", .string, "Cache scheme compared with the base; every position reads what it stores"),
            .init("window", .int, units: "1", "Window within the text, from 0"),
            .init("window_tokens", .int, units: "1", "Tokens of this window, from an empty cache"),
            .init("stride_tokens", .int, units: "1", "Tokens that count in a window after the first of its document"),
            .init("step_tokens", .int, units: "1", "New tokens of a forward pass"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("base_loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the base's cache"),
            .init("loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the scheme's cache"),
            .init("kld_sum", .double, units: "1", "Sum of KL(base, scheme) in nats"),
            .init(
                "first_kld", .double, units: "1",
                "KL(base, scheme) at the window's first position, which sees its own row only; NaN: it does not count"),
        ])
}
