import Caches
import Engine
import Models
import Results
import Schemes
import Text

/// What becomes of answers when a context is handed from agent to agent as a card whose tokens have different precisions, by
/// the controller that chooses them, at equal bytes.
///
/// The first agent reads the context with an unquantized cache. Each handoff encodes it anew; the last agent is asked. What
/// differs between controllers is which tokens are coarse, and nothing else.
public final class HopsExperiment: Experiment {
    public static let name = "hops"
    public static let summary = "answers after several handoffs of one context: precisions by controller, at equal bytes"

    /// The controller of the rows of the context that was not handed on.
    static let none = "none"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let controllers: [any PrecisionController]
    private let budgets: [Double]
    private let hops: [Int]
    private let moves: [Int]
    private let keys: CardKeys
    private let receiver: CacheScheme
    private let probeTokens: Int
    private let oracleBlock: Int
    private let fanOut: Int
    private let seed: UInt64

    private struct Plan {
        let model: QualityModel
        /// The shape whose caches and vocabulary the model has; empty: none.
        let shape: String
        let ladder: PrecisionLadder
        let task: String
        let documents: Range<Int>
        /// Document so and so; nil where nothing could be handed on.
        let question: (Int, Engine) throws -> HandedQuestion?
        /// Are the ladder's schemes encoded again and again, instead of questions being asked?
        let isRequantization: Bool
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let tasks = try settings.strings("tasks", oneOf: [TaskKind.recall, .arithmetic].map(\.rawValue)).map { TaskKind(rawValue: $0)! }
        let answers = try settings.int("answers", in: 1...1_000_000)
        let part = try settings.int("documents_per_cell", in: 1...1_000_000)
        let facts = try settings.int("facts", in: 1...TaskSettings.maximumFacts)
        let questions = try settings.int("questions", in: 1...TaskSettings.maximumFacts)
        let ladder = try settings.strings("ladder").map { try CacheScheme(expression: $0) }
        let names = try settings.strings("controllers", oneOf: PrecisionControllers.all.map(\.name))
        controllers = PrecisionControllers.all.filter { names.contains($0.name) }
        budgets = try settings.doubles("budgets", in: 0...32)
        hops = Set(try settings.ints("hops", in: 1...1000)).sorted()
        moves = try settings.ints("moves", in: 0...1_000_000)
        keys = CardKeys(rawValue: try settings.string("keys", oneOf: CardKeys.allCases.map(\.rawValue)))!
        receiver = try CacheScheme(expression: settings.string("receiver_scheme"))
        probeTokens = try settings.int("probe_tokens", in: 1...512)
        oracleBlock = try settings.int("oracle_block", in: 1...1_000_000)
        fanOut = try settings.int("fan_out", in: 1...1_000_000)
        let requantized = try settings.int("requantized_documents", in: 0...1_000_000)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        let gsm8k = try GSM8KSettings(settings, in: laboratory)
        try settings.finish()

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            let spec = model.checkpoint.configuration.cacheSpec(mlaForm: form)
            // A scheme that does not suit the model is refused before anything is measured.
            let ladder = try PrecisionLadder(ladder, spec: spec)
            _ = try PrecisionLadder([receiver], spec: spec)
            if let budget = budgets.first(where: { $0 < ladder.rungs[0].bits }) {
                throw settings.bad(
                    "budgets", "holds \(budget), less than the \(ladder.rungs[0].bits) bits of \(ladder.rungs[0].scheme)")
            }
            let shape = try model.kin(in: laboratory).shape
            func add(
                _ task: String, _ name: String, _ documents: Range<Int>, cost: Int, requantization: Bool = false,
                _ question: @escaping (Int, Engine) throws -> HandedQuestion?
            ) {
                let name = "hops/\(model.checkpoint.name)/\(name)"
                plans[name] = Plan(
                    model: model, shape: shape, ladder: ladder, task: task, documents: documents, question: question,
                    isRequantization: requantization)
                cells.append(Cell(name: name, cost: Double(documents.count * cost)))
            }
            func parts(_ task: String, _ count: Int, cost: Int, _ question: @escaping (Int, Engine) throws -> HandedQuestion?) {
                for start in stride(from: 0, to: count, by: part) {
                    let documents = start..<min(count, start + part)
                    add(task, "\(task)/documents \(start)-\(documents.upperBound - 1)", documents, cost: cost, question)
                }
            }
            for (index, task) in tasks.enumerated() {
                let generator = try TaskGenerator(
                    task: task, split: .test, seed: seed,
                    settings: TaskSettings(facts: facts...facts, questions: questions...questions))
                let sample = generator.document(0)
                let count = (answers + sample.answers.count - 1) / sample.answers.count
                let cost = sample.text.utf8.count
                func question(_ index: Int, _: Engine) -> HandedQuestion? {
                    HandedQuestion(generator.document(index), tokenizer: model.tokenizer)
                }
                if index == 0, requantized > 0 {
                    add(task.rawValue, "requantization", 0..<requantized, cost: cost, requantization: true, question)
                }
                parts(task.rawValue, count, cost: cost, question)
            }
            parts(GSM8KSettings.task, gsm8k.problems.count, cost: gsm8k.cost(of: 1)) { [receiver] index, engine in
                let scorer = try GSM8KScorer(
                    engine: engine, tokenizer: model.tokenizer, scheme: receiver, maximumTokens: gsm8k.maximumTokens)
                return HandedQuestion(gsm8k.problems[index], scorer: scorer)
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: receiver)
        return try plan.documents.flatMap { index -> [(schema: TableSchema, row: Row)] in
            guard let question = try plan.question(index, engine) else { return [] }
            // What does not move must come out as it was: encoding again is looked at in place too.
            let moves = plan.isRequantization ? Set(moves + [0]).sorted() : moves
            return try moves.flatMap { move in
                var random = SplitMix64(seed: seed &+ UInt64(index) << 20)
                let places = (0...hops.last!).map { hop in hop == 0 || move == 0 ? 0 : Int.random(in: 0...move, using: &random) }
                let chain = HopChain(engine: engine, layout: layout, keys: keys, places: places)
                let handing = try Handing(question, chain, ladder: plan.ladder, probeTokens: probeTokens)
                let head: Row = [
                    "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name),
                    "same_shape_as": .string(plan.shape), "task": .string(plan.task), "document": .int(Int64(index)),
                    "moves": .int(Int64(move)), "keys": .string(keys.rawValue),
                    "handed_tokens": .int(Int64(question.contextTokens)),
                ]
                return try plan.isRequantization
                    ? requantized(handing, plan, head) : asked(handing, plan, head, document: UInt64(index))
            }
        }
    }

    // MARK: Answers

    private func asked(
        _ handing: Handing, _ plan: Plan, _ head: Row, document: UInt64
    ) throws -> [(schema: TableSchema, row: Row)] {
        var rows: [(schema: TableSchema, row: Row)] = []
        func add(_ controller: String, _ budget: Double, _ hop: Int, _ card: CacheCard?, _ scores: [HandedQuestion.Score]) {
            for (number, score) in scores.enumerated() {
                let own: Row = [
                    "answer": .int(Int64(number)), "controller": .string(controller), "budget_bits": .double(budget),
                    "hops": .int(Int64(hop)),
                    "stored_bits": card.map { .double(8 * Double($0.payloadBytes) / Double(handing.elements)) } ?? .missing,
                    "payload_bytes": .int(Int64(card?.payloadBytes ?? 0)), "card_bytes": .int(Int64(card?.bytes.count ?? 0)),
                    "right": .int(score.isRight ? 1 : 0), "tokens_scored": .int(Int64(score.tokens)),
                    "kld_sum": .double(score.kldSum), "agreements": .int(Int64(score.agreements)),
                    "generated_tokens": .int(Int64(score.generatedTokens)),
                ]
                rows.append((Self.schema, head.merging(own) { $1 }))
            }
        }
        add(Self.none, 0, 0, nil, try handing.ownScores())
        var context = HandoffContext(tokens: handing.question.contextTokens)
        context.attention = handing.attention
        context.fanOut = fanOut
        context.seed = seed &+ document
        if controllers.contains(where: { $0.needs == .sensitivity }) {
            context.sensitivity = try handing.sensitivity(block: oracleBlock)
        }
        // The finest rung for every token: what handing on costs by itself.
        let finest = plan.ladder.rungs.last!
        let conditions: [(any PrecisionController, Double)] =
            budgets.flatMap { budget in controllers.map { ($0, budget) } } + [(UniformController(), finest.bits)]
        for (controller, budget) in conditions {
            func precisions(_ count: Int) -> [CardPrecision] {
                let steps = controller.looksAhead ? count : 1
                let all = (0..<steps).map { step in
                    context.remainingHops = count - step
                    return plan.ladder.precision(weights: controller.weights(context), bits: budget)
                }
                return all + Array(repeating: all[0], count: count - steps)
            }
            // One that looks ahead chooses other precisions for a chain of another length.
            for group in controller.looksAhead ? hops.map({ [$0] }) : [hops] {
                try handing.chain.run(from: handing.sender(), precisions: precisions(group.last!)) { arrival in
                    guard group.contains(arrival.hop) else { return }
                    let scores = try handing.scores(arrival.cache, of: controller.name)
                    add(controller.name, budget, arrival.hop, arrival.card, scores)
                }
            }
        }
        return rows
    }

    // MARK: Requantization

    private func requantized(_ handing: Handing, _ plan: Plan, _ head: Row) throws -> [(schema: TableSchema, row: Row)] {
        var rows: [(schema: TableSchema, row: Row)] = []
        for rung in plan.ladder.rungs {
            let precision = CardPrecision(uniform: rung.scheme, count: handing.question.contextTokens)
            try handing.chain.run(
                from: handing.sender(), precisions: Array(repeating: precision, count: hops.last!)
            ) { arrival in
                let scores = try handing.predicted(arrival.cache, of: rung.scheme.description)
                let own: Row = [
                    "scheme": .string(rung.scheme.description), "receiver_scheme": .string(receiver.description),
                    "hops": .int(Int64(arrival.hop)), "payload_bytes": .int(Int64(arrival.card.payloadBytes)),
                    "changed_bytes": .int(Int64(arrival.changedBytes ?? -1)),
                    "tokens_scored": .int(Int64(scores.reduce(0) { $0 + $1.tokens })),
                    "kld_sum": .double(scores.reduce(0) { $0 + $1.kldSum }),
                ]
                rows.append((Self.requantizationSchema, head.merging(own) { $1 }))
            }
        }
        return rows
    }
}
