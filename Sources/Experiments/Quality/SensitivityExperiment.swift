import Caches
import Engine
import Foundation
import Models
import Results
import Schemes

/// Which layers, and which KV heads, a quantized cache hurts most: one layer at a time is quantized, its keys, its values or
/// both, and the rest is not; then one head's keys or values.
///
/// For layers nothing is simulated: each cache is stored as `layers 3: k=affine-q2-g64,v=fp16; rest: fp16` says, and every
/// position reads what it stores. A cache has one scheme for all heads of a layer, so the rows of a single head are encoded,
/// decoded and then stored in the base scheme: see ``HeadRoundTrip``.
public final class SensitivityExperiment: Experiment {
    public static let name = "sensitivity"
    public static let summary = "KL divergence with the keys or values of one layer, or of one head, quantized at a time"

    /// What of a layer is quantized.
    public enum Part: String, CaseIterable, Sendable { case keys, values, both }

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let baseScheme: CacheScheme
    private let windows: TextWindows
    private let maximumWindows: Int

    private struct Plan {
        let model: QualityModel
        let text: QualityText
        let scheme: CacheScheme
        let subjects: [Subject]
    }

    /// What is quantized, and what the cache is then stored as.
    private struct Subject {
        /// nil for all layers at once.
        var layer: Int?
        /// nil for all heads of the layer.
        var head: Int?
        let part: Part
        let storedAs: CacheScheme
        var roundTrips: [HeadRoundTrip] = []
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("texts")
        baseScheme = try CacheScheme(expression: settings.string("base_scheme"))
        let schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let window = try settings.int("window", in: 2...1_000_000)
        maximumWindows = try settings.int("windows_per_text")
        let maximumTexts = try settings.int("maximum_texts")
        let headTexts = try settings.int("head_texts", in: 0...1_000_000)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        try settings.finish()
        for scheme in schemes + [baseScheme] where !scheme.parts.isEmpty {
            throw settings.bad("schemes", "holds '\(scheme)': here a scheme is one for all layers, and layers are taken in turn")
        }
        windows = TextWindows(window: window, stride: window)

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let configuration = model.checkpoint.configuration
            guard window <= configuration.contextLimit else {
                throw settings.bad(
                    "window", "is \(window), more than the \(configuration.contextLimit) that \(model.checkpoint.name) takes")
            }
            let spec = configuration.cacheSpec(mlaForm: form)
            let all = try texts.flatMap {
                try QualityText.read(laboratory.path($0), tokenizer: model.tokenizer, atLeast: window)
            }
            for scheme in schemes {
                let layers = Self.layers(spec, scheme, base: baseScheme)
                // A scheme that does not suit the model is refused before anything is measured.
                for subject in layers { _ = try CacheLayout(spec: spec, scheme: subject.storedAs) }
                let whole = try CacheLayout(spec: spec, scheme: scheme)
                if headTexts > 0, whole.hasResidual {
                    throw settings.bad(
                        "schemes", "holds '\(scheme)', which leaves its newest rows in 16-bit floats: single heads need a scheme that "
                            + "encodes each row at once, or head_texts 0")
                }
                let heads = headTexts > 0 ? Self.heads(spec, whole, base: baseScheme) : []
                for (index, text) in all.prefix(maximumTexts).enumerated() {
                    for (kind, subjects) in [("", layers), ("/heads", index < headTexts ? heads : [])] where !subjects.isEmpty {
                        let name = "sensitivity/\(model.checkpoint.name)/\(scheme)/\(text.name)\(kind)"
                        guard plans[name] == nil else { throw settings.bad("texts", "holds two texts named \(text.name)") }
                        plans[name] = Plan(model: model, text: text, scheme: scheme, subjects: subjects)
                        let count = min(maximumWindows, windows.ranges(of: text.tokens.count).count)
                        cells.append(Cell(name: name, cost: Double(count * subjects.count)))
                    }
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    /// Every layer's keys, values and both, then all layers at once. Values that are a part of the keys are not told apart.
    private static func layers(_ spec: ModelCacheSpec, _ scheme: CacheScheme, base: CacheScheme) -> [Subject] {
        let layers = spec.layers.indices.flatMap { layer -> [Subject] in
            let parts = spec.layers[layer].valueWidth == 0 ? [Part.both] : Part.allCases
            return parts.map { part in
                let own = LayerScheme(
                    key: part == .values ? base.rest.key : scheme.rest.key,
                    value: part == .keys ? base.rest.value : scheme.rest.value)
                let stored = CacheScheme(parts: [.init(ranges: [layer...layer], scheme: own)], rest: base.rest)
                return Subject(layer: layer, part: part, storedAs: stored)
            }
        }
        return layers + [Subject(part: .both, storedAs: scheme)]
    }

    /// Every head's keys and values, where a layer has several heads.
    /// - Parameter layout: all layers in the scheme that single heads go through.
    private static func heads(_ spec: ModelCacheSpec, _ layout: CacheLayout, base: CacheScheme) -> [Subject] {
        spec.layers.indices.flatMap { layer -> [Subject] in
            guard spec.layers[layer].kvHeads > 1 else { return [] }
            let kinds = RowKind.allCases.filter { $0 == .keys || spec.layers[layer].valueWidth > 0 }
            return (0..<spec.layers[layer].kvHeads).flatMap { head in
                kinds.map { kind in
                    Subject(
                        layer: layer, head: head, part: kind == .keys ? .keys : .values, storedAs: base,
                        roundTrips: [HeadRoundTrip(kind, layer: layer, head: head, as: layout)])
                }
            }
        }
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let pass = try QualityPass(
            base: .init(engine: engine, scheme: baseScheme),
            subjects: plan.subjects.map { .init(engine: engine, scheme: $0.storedAs, roundTrips: $0.roundTrips) }, cacheFolder: nil)
        let ranges = windows.ranges(of: plan.text.tokens.count).prefix(maximumWindows)
        return try ranges.enumerated().flatMap { index, range in
            let outcomes = try pass.run(Array(plan.text.tokens[range]), counted: windows.counted(in: index))
            return zip(plan.subjects, outcomes).map { subject, outcome in
                let row: Row = [
                    "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name), "text": .string(plan.text.name),
                    "base_scheme": .string(baseScheme.description), "scheme": .string(plan.scheme.description),
                    "stored_as": .string(subject.storedAs.description), "layer": .int(Int64(subject.layer ?? -1)),
                    "head": .int(Int64(subject.head ?? -1)), "part": .string(subject.part.rawValue), "window": .int(Int64(index)),
                    "window_tokens": .int(Int64(range.count)), "tokens_scored": .int(Int64(outcome.tokens.count)),
                    "kld_sum": .double(outcome.tokens.reduce(0) { $0 + $1.klDivergence }),
                    "agreements": .int(Int64(outcome.tokens.count(where: \.agrees))),
                ]
                return (Self.schema, row)
            }
        }
    }

    /// One row for each model, scheme, text, window, layer, head and part.
    public static let schema = TableSchema(
        name: "sensitivity", title: "KL divergence with one layer, or one head, quantized at a time, by window",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("text", .string, "Text, by its file name"),
            .init("base_scheme", .string, "Cache scheme of all layers but one, and of the base"),
            .init("scheme", .string, "Cache scheme of the one layer"),
            .init("stored_as", .string, "The cache scheme as a whole; every position reads what it stores"),
            .init("layer", .int, units: "1", "The layer, from 0; -1: all layers at once"),
            .init("head", .int, units: "1", "The KV head, from 0; its rows go through `scheme` before they are stored; -1: all heads"),
            .init("part", .string, "What of the layer is quantized: keys, values or both"),
            .init("window", .int, units: "1", "Window within the text, from 0"),
            .init("window_tokens", .int, units: "1", "Tokens of a window, each window from an empty cache"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("kld_sum", .double, units: "1", "Sum of KL(base, scheme) in nats"),
            .init("agreements", .int, units: "1", "Tokens at which both find the same token the most likely"),
        ])
}
