import Caches
import Engine
import Models
import Results
import Schemes
import Tensors
import Text

/// Cache schemes side by side on the same model, text and tasks: bytes really stored, speed, what they do to predictions
/// and to exact answers, and whether a cache that was saved and loaded gives the same bits.
///
/// A cell is one scheme on one model; windows of the text come in one random order for all of them, so that schemes are
/// compared window by window however many each of them got. Speed is measured in passes of its own, in which the schemes come
/// in a random order.
public final class SchemesExperiment: Experiment {
    public static let name = "schemes"
    public static let summary = "cache schemes side by side: bytes, speed, KL divergence, exact answers, restored caches"

    public let cells: [Cell]
    let laboratory: Laboratory
    let plans: [String: Plan]
    let settings: Choices

    /// What a cell does.
    enum Plan {
        case quality(Subject, CacheScheme)
        /// A pass over the speed of all schemes, in their order.
        case speed(Subject, pass: Int, order: [CacheScheme])
    }

    /// A model with the windows to measure it on.
    struct Subject {
        let model: QualityModel
        let texts: [QualityText]
        /// Windows in the order in which they are measured.
        let draws: [(text: Int, window: Int)]
        let tasks: [TaskGenerator]
    }

    /// Settings that the cells share.
    struct Choices {
        let base: CacheScheme
        let windows: TextWindows
        let stopping: StoppingRule
        let documents: Int
        let form: MLAForm
        let depth: Int
        let generated: Int
        let seed: UInt64
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let texts = try settings.strings("texts")
        let base = try CacheScheme(expression: settings.string("base_scheme"))
        let schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
            .filter { $0.description != base.description }
        let window = try settings.int("window", in: 2...1_000_000)
        let stride = try settings.int("stride", in: 1...1_000_000)
        let stopping = StoppingRule(
            relativeInterval: try settings.double("relative_interval", in: 0...1000),
            leastWindows: try settings.int("least_windows", in: 2...1_000_000),
            seconds: try settings.double("seconds_per_scheme", in: 0...1e9))
        let tasks = try settings.strings("tasks", oneOf: TaskKind.allCases.map(\.rawValue)).map { TaskKind(rawValue: $0)! }
        let documents = try settings.int("documents", in: 1...1_000_000)
        let facts = try settings.int("facts", in: 1...TaskSettings.maximumFacts)
        let questions = try settings.int("questions", in: 1...TaskSettings.maximumFacts)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        let passes = try settings.int("passes", in: 1...1000)
        let depth = try settings.int("depth", in: 0...10_000_000)
        let generated = try settings.int("generate", in: 1...1_000_000)
        let seed = UInt64(try settings.int("seed", in: 0...Int.max))
        try settings.finish()
        guard stride <= window else { throw settings.bad("stride", "is \(stride), more than the window of \(window)") }
        if let twice = schemes.map(\.description).firstRepeated { throw settings.bad("schemes", "holds \(twice) twice") }
        self.settings = Choices(
            base: base, windows: TextWindows(window: window, stride: stride), stopping: stopping, documents: documents,
            form: form, depth: depth, generated: generated, seed: seed)

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        func add(_ name: String, _ plan: Plan, cost: Double) throws {
            guard plans.updateValue(plan, forKey: "schemes/\(name)") == nil else {
                throw settings.bad("weights", "holds two checkpoints of one name")
            }
            cells.append(Cell(name: "schemes/\(name)", cost: cost))
        }
        for path in laboratory.checkpoints(weights) {
            let model = try QualityModel(path: path, mlaForm: form)
            let limit = model.checkpoint.configuration.contextLimit
            for (key, tokens) in [("window", window), ("depth", depth + generated + 1)] where tokens > limit {
                throw settings.bad(key, "makes \(tokens) tokens, more than the \(limit) that \(model.checkpoint.name) takes")
            }
            let texts = try texts.flatMap {
                try QualityText.read(laboratory.path($0), tokenizer: model.tokenizer, atLeast: window)
            }
            let subject = Subject(
                model: model, texts: texts, draws: Self.draws(texts, self.settings.windows, seed: seed),
                tasks: try tasks.map { task in
                    try TaskGenerator(
                        task: task, split: .test, seed: seed,
                        settings: TaskSettings(facts: facts...facts, questions: questions...questions))
                })
            for scheme in [base] + schemes {
                try add("\(model.checkpoint.name)/\(scheme)", .quality(subject, scheme), cost: 1)
            }
            var generator = SplitMix64(seed: seed)
            for pass in 1...passes {
                try add(
                    "\(model.checkpoint.name)/speed, pass \(pass)",
                    .speed(subject, pass: pass, order: ([base] + schemes).shuffled(using: &generator)), cost: 1)
            }
        }
        self.plans = plans
        self.cells = cells
    }

    /// Every window of every text, in an order drawn from the seed: whenever it stops, what was measured is a fair sample.
    private static func draws(_ texts: [QualityText], _ windows: TextWindows, seed: UInt64) -> [(text: Int, window: Int)] {
        var generator = SplitMix64(seed: seed)
        return texts.indices.flatMap { text in
            windows.ranges(of: texts[text].tokens.count).indices.map { (text, $0) }
        }.shuffled(using: &generator)
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        switch plans[cell.name]! {
        case .quality(let subject, let scheme): try measureQuality(cell.name, subject, scheme)
        case .speed(let subject, let pass, let order): try measureSpeed(cell.name, subject, pass, order)
        }
    }
}

extension [String] {
    /// The first element that was there before.
    var firstRepeated: String? {
        var seen: Set<String> = []
        return first { !seen.insert($0).inserted }
    }
}
