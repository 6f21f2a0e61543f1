import Caches
import Engine
import Models
import Results
import Schemes
import Text

/// How often a model gives exact answers with each cache scheme: on the same documents, so that schemes are compared answer
/// by answer.
public final class TasksExperiment: Experiment {
    public static let name = "tasks"
    public static let summary = "exact answers with cache schemes: recall, arithmetic, copy, tool calls, dialogues"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let gsm8k: GSM8KSettings

    private struct Plan {
        let model: QualityModel
        let scheme: CacheScheme
        let source: Source
    }

    private enum Source {
        case generated(TaskGenerator, documents: Int)
        case gsm8k
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let tasks = try settings.strings("tasks", oneOf: TaskKind.allCases.map(\.rawValue)).map { TaskKind(rawValue: $0)! }
        let documents = try settings.int("documents", in: 1...1_000_000)
        // A word problem has one answer, and is short.
        let problems = try settings.int("problems", in: 1...1_000_000)
        let facts = try settings.int("facts", in: 1...TaskSettings.maximumFacts)
        let questions = try settings.int("questions", in: 1...TaskSettings.maximumFacts)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        let seed = UInt64(try settings.int("seed", in: 0...Int.max))
        let gsm8k = try GSM8KSettings(settings, in: laboratory)
        try settings.finish()
        self.gsm8k = gsm8k

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in try QualityModel.open(weights, in: laboratory, mlaForm: form) {
            var sources: [(name: String, source: Source, cost: Int)] = try tasks.map { task in
                let generator = try TaskGenerator(
                    task: task, split: .test, seed: seed,
                    settings: TaskSettings(facts: facts...facts, questions: questions...questions))
                let count = task == .arithmetic ? problems : documents
                return (task.rawValue, .generated(generator, documents: count), count * generator.document(0).text.utf8.count)
            }
            if !gsm8k.problems.isEmpty {
                sources.append((GSM8KSettings.task, .gsm8k, gsm8k.cost(of: gsm8k.problems.count)))
            }
            for (name, source, cost) in sources {
                for scheme in schemes {
                    // A scheme that does not suit the model is refused before anything is measured.
                    _ = try CacheLayout(spec: model.checkpoint.configuration.cacheSpec(mlaForm: form), scheme: scheme)
                    let name = "tasks/\(model.checkpoint.name)/\(name)/\(scheme)"
                    guard plans[name] == nil else { throw settings.bad("schemes", "holds \(scheme) twice") }
                    plans[name] = Plan(model: model, scheme: scheme, source: source)
                    cells.append(Cell(name: name, cost: Double(cost)))
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        func row(_ task: String, _ seed: UInt64, _ document: Int, _ answer: Int, _ distance: Int, _ isRight: Bool) -> Row {
            [
                "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name),
                "scheme": .string(plan.scheme.description), "task": .string(task), "seed": .int(Int64(bitPattern: seed)),
                "document": .int(Int64(document)), "answer": .int(Int64(answer)), "distance_bytes": .int(Int64(distance)),
                "right": .int(isRight ? 1 : 0),
            ]
        }
        switch plan.source {
        case .generated(let generator, let documents):
            let scorer = try TaskScorer(engine: engine, tokenizer: plan.model.tokenizer, scheme: plan.scheme)
            return try (0..<documents).flatMap { index in
                let document = generator.document(index)
                return zip(document.answers, try scorer.score(document)).enumerated().map { number, scored in
                    (Self.schema, row(document.task.rawValue, document.seed, index, number, scored.0.distance, scored.1))
                }
            }
        case .gsm8k:
            let scorer = try GSM8KScorer(
                engine: engine, tokenizer: plan.model.tokenizer, scheme: plan.scheme, maximumTokens: gsm8k.maximumTokens)
            return try gsm8k.problems.enumerated().map { index, problem in
                (Self.schema, row(GSM8KSettings.task, 0, index, 0, 0, try scorer.score(problem)))
            }
        }
    }

    /// One row for each answer.
    public static let schema = TableSchema(
        name: "tasks", title: "Exact answers with a cache scheme",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("scheme", .string, "Cache scheme; every position reads what it stores"),
            .init("task", .string, "Task, its test split; gsm8k: problems of that file"),
            .init("seed", .int, units: "1", "Seed of the documents"),
            .init("document", .int, units: "1", "Document of the seed"),
            .init("answer", .int, units: "1", "Answer of the document"),
            .init("distance_bytes", .int, units: "byte", "Text between the fact and the answer; 0: nothing is looked up"),
            .init("right", .int, units: "1", "1 when every token of the answer is the most likely one; gsm8k: the number"),
        ])
}
