import Caches
import Engine
import Models
import Results
import Schemes

/// A map of layers under a budget of bits: which candidate scheme the keys and the values of each layer should have.
///
/// On the first half of the texts the KL divergence of each candidate is measured with one layer's keys, or values, in it and
/// all else in the base. A map for a budget is the choice with the least sum of these divergences; that they add up is an
/// assumption. On the other texts each map is then measured as a whole, beside every candidate on all layers.
public final class TuneExperiment: Experiment {
    public static let name = "tune"
    public static let summary = "a map of layers under a budget of bits, searched on some texts and judged on others"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let base: CacheScheme
    private let candidates: [any KVScheme]
    private let budgets: [Double]
    private let window: Int

    private struct Plan {
        let model: QualityModel
        let search: [[Int32]]
        let check: [(text: String, tokens: [Int32])]
        let items: [Item]
    }

    /// Keys or values of a layer.
    private struct Item {
        let layer: Int
        let kind: RowKind
        /// Are the layer's values a part of its keys?
        let holdsValues: Bool
        /// Elements of a token, all heads.
        let elements: Int
        /// Bytes of a token under each candidate, all heads.
        let bytes: [Int]
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("texts")
        base = try CacheScheme(expression: settings.string("base_scheme"))
        let expressions = try settings.strings("candidates")
        budgets = try settings.doubles("budgets", in: 0.1...32)
        let window = try settings.int("window", in: 2...1_000_000)
        self.window = window
        let windowsPerText = try settings.int("windows_per_text", in: 1...1_000_000)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        try settings.finish()
        candidates = try expressions.map { expression in
            let scheme = try CacheScheme(expression: expression)
            guard scheme.parts.isEmpty, scheme.rest.key.name == scheme.rest.value.name else {
                throw settings.bad("candidates", "holds '\(expression)': a candidate is one scheme, for keys or for values of a layer")
            }
            return scheme.rest.key
        }
        if let twice = candidates.map(\.name).firstRepeated { throw settings.bad("candidates", "holds \(twice) twice") }
        guard base.parts.isEmpty else { throw settings.bad("base_scheme", "is a map of layers") }

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let configuration = model.checkpoint.configuration
            guard window <= configuration.contextLimit else {
                throw settings.bad(
                    "window", "is \(window), more than the \(configuration.contextLimit) that \(model.checkpoint.name) takes")
            }
            let all = try texts.flatMap { try QualityText.read(laboratory.path($0), tokenizer: model.tokenizer, atLeast: window) }
            guard all.count >= 2 else { throw settings.bad("texts", "holds one text: one is to search on and another to judge on") }
            let cut = TextWindows(window: window, stride: window)
            func windows(_ texts: some Sequence<QualityText>) -> [(text: String, tokens: [Int32])] {
                texts.flatMap { text in
                    cut.ranges(of: text.tokens.count).prefix(windowsPerText).map { (text.name, Array(text.tokens[$0])) }
                }
            }
            let half = (all.count + 1) / 2
            let items = try Self.items(configuration.cacheSpec(mlaForm: form), candidates)
            for budget in budgets where Double(items.reduce(0) { $0 + $1.bytes.min()! }) > Self.bytes(budget, items) {
                throw settings.bad(
                    "budgets", "holds \(budget) bits, and the smallest candidates take more in \(model.checkpoint.name)")
            }
            let name = "tune/\(model.checkpoint.name)"
            let plan = Plan(model: model, search: windows(all[..<half]).map(\.tokens), check: windows(all[half...]), items: items)
            plans[name] = plan
            let subjects = items.count * candidates.count * plan.search.count + (candidates.count + budgets.count) * plan.check.count
            cells.append(Cell(name: name, cost: Double(subjects)))
        }
        self.plans = plans
        self.cells = cells
    }

    /// - Throws: a ``SchemeError`` for a candidate that does not suit a width.
    private static func items(_ spec: ModelCacheSpec, _ candidates: [any KVScheme]) throws -> [Item] {
        try spec.layers.enumerated().flatMap { layer, spec in
            try [(RowKind.keys, spec.keyWidth), (.values, spec.valueWidth)].filter { $0.1 > 0 }.map { kind, width in
                Item(
                    layer: layer, kind: kind, holdsValues: spec.valueWidth == 0, elements: spec.kvHeads * width,
                    bytes: try candidates.map { spec.kvHeads * (try $0.scheme(for: kind).bytesPerToken(width: width)) })
            }
        }
    }

    private static func bytes(_ bits: Double, _ items: [Item]) -> Double {
        bits / 8 * Double(items.reduce(0) { $0 + $1.elements })
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let own: Row = [
            "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name), "base_scheme": .string(base.description),
        ]
        var rows: [(schema: TableSchema, row: Row)] = []

        // One thing in a candidate, all else in the base.
        let trials = plan.items.indices.flatMap { item in candidates.indices.map { (item: item, candidate: $0) } }
        let sums = try divergences(engine, trials.map { scheme([(plan.items[$0.item], $0.candidate)]) }, plan.search)
        let searched = Double(plan.search.count * (window - 1))
        var options = plan.items.map { item in item.bytes.map { BudgetedChoice.Option(bytes: $0, cost: 0) } }
        for (trial, sum) in zip(trials, sums) {
            let item = plan.items[trial.item]
            let cost = sum.reduce(0, +) / searched
            options[trial.item][trial.candidate] = .init(bytes: item.bytes[trial.candidate], cost: cost)
            rows.append((
                Self.searchSchema,
                own.merging([
                    "layer": .int(Int64(item.layer)), "part": .string(item.kind.rawValue),
                    "scheme": .string(candidates[trial.candidate].name), "bytes_per_token": .int(Int64(item.bytes[trial.candidate])),
                    "tokens_scored": .int(Int64(searched)), "kld": .double(cost),
                ]) { $1 }
            ))
        }

        var found: [(scheme: CacheScheme, kind: String, budget: Double, choice: [Int])] = candidates.indices.map {
            (CacheScheme(candidates[$0]), "uniform", 0, [Int](repeating: $0, count: plan.items.count))
        }
        for budget in budgets {
            let choice = BudgetedChoice.least(options, budget: Int(Self.bytes(budget, plan.items)))!
            found.append((map(Array(zip(plan.items, choice))), "map", budget, choice))
        }
        let elements = plan.items.reduce(0) { $0 + $1.elements }
        let measured = try divergences(engine, found.map(\.scheme), plan.check.map(\.tokens))
        for (map, sums) in zip(found, measured) {
            let bytes = zip(plan.items, map.choice).reduce(0) { $0 + $1.0.bytes[$1.1] }
            for (window, sum) in zip(plan.check, sums) {
                rows.append((
                    Self.schema,
                    own.merging([
                        "scheme": .string(map.scheme.description), "kind": .string(map.kind), "budget_bits": .double(map.budget),
                        "bits_per_element": .double(Double(bytes * 8) / Double(elements)),
                        "predicted_kld": .double(zip(options, map.choice).reduce(0) { $0 + $1.0[$1.1].cost }),
                        "text": .string(window.text), "window_tokens": .int(Int64(self.window)),
                        "tokens_scored": .int(Int64(self.window - 1)), "kld_sum": .double(sum),
                    ]) { $1 }
                ))
            }
        }
        return rows
    }

    /// The base with these things in candidates.
    private func scheme(_ choice: [(item: Item, candidate: Int)]) -> CacheScheme {
        let layers = Dictionary(grouping: choice, by: \.item.layer).sorted { $0.key < $1.key }
        let parts = layers.map { layer, choice -> CacheScheme.Part in
            func candidate(_ kind: RowKind) -> any KVScheme {
                choice.first { $0.item.kind == kind }.map { candidates[$0.candidate] }
                    ?? (kind == .keys ? base.rest.key : base.rest.value)
            }
            return CacheScheme.Part(
                ranges: [layer...layer],
                scheme: LayerScheme(key: candidate(.keys), value: candidate(choice[0].item.holdsValues ? .keys : .values)))
        }
        return CacheScheme(parts: parts, rest: base.rest)
    }

    /// Candidates for all things, with what most layers have as the rest.
    private func map(_ choice: [(item: Item, candidate: Int)]) -> CacheScheme {
        let parts = scheme(choice).parts
        let layers = { (part: CacheScheme.Part) in part.ranges.reduce(0) { $0 + $1.count } }
        return CacheScheme(parts: parts, rest: parts.max { layers($0) < layers($1) }!.scheme)
    }

    /// Sums over each window's tokens, for each scheme.
    private func divergences(_ engine: Engine, _ schemes: [CacheScheme], _ windows: [[Int32]]) throws -> [[Double]] {
        let pass = try QualityPass(
            base: .init(engine: engine, scheme: base), subjects: schemes.map { .init(engine: engine, scheme: $0) }, cacheFolder: nil)
        var sums = [[Double]](repeating: [], count: schemes.count)
        for tokens in windows {
            for (index, outcome) in try pass.run(tokens, counted: 1..<tokens.count).enumerated() {
                sums[index].append(outcome.tokens.reduce(0) { $0 + $1.klDivergence })
            }
        }
        return sums
    }

    /// One row for each model, scheme and window of the texts to judge on.
    public static let schema = TableSchema(
        name: name, title: "Maps of layers and uniform schemes, by window of texts that were not searched on",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("base_scheme", .string, "Cache scheme compared with"),
            .init("scheme", .string, "Cache scheme; every position reads what it stores"),
            .init("kind", .string, "uniform: a candidate on all layers; map: what was found for a budget"),
            .init("budget_bits", .double, units: "bit", "Bits per element that the map was allowed; 0 for a uniform scheme"),
            .init("bits_per_element", .double, units: "bit", "Bits per element of an encoded token, all layers, scales among them"),
            .init("predicted_kld", .double, units: "1", "Sum of the divergences of its parts, each measured by itself on the other texts"),
            .init("text", .string, "Text, by its file name"),
            .init("window_tokens", .int, units: "1", "Tokens of a window, each window from an empty cache"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("kld_sum", .double, units: "1", "Sum of KL(base, scheme) in nats"),
        ])

    /// One row for each model, layer, part and candidate.
    public static let searchSchema = TableSchema(
        name: "tune_search", title: "KL divergence with one layer's keys or values in a candidate",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("base_scheme", .string, "Cache scheme of all else, and of the base"),
            .init("layer", .int, units: "1", "The layer, from 0"),
            .init("part", .string, "keys or values"),
            .init("scheme", .string, "The candidate"),
            .init("bytes_per_token", .int, units: "byte", "Bytes of an encoded token, all heads"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("kld", .double, units: "1", "Mean KL(base, scheme) in nats"),
        ])
}
