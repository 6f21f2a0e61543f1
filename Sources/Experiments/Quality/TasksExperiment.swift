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
    private let documents: Int

    private struct Plan {
        let model: QualityModel
        let scheme: CacheScheme
        let generator: TaskGenerator
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let weights = try settings.strings("weights")
        let schemes = try settings.strings("schemes").map { try CacheScheme(expression: $0) }
        let tasks = try settings.strings("tasks", oneOf: TaskKind.allCases.map(\.rawValue)).map { TaskKind(rawValue: $0)! }
        documents = try settings.int("documents", in: 1...1_000_000)
        let facts = try settings.int("facts", in: 1...TaskSettings.maximumFacts)
        let questions = try settings.int("questions", in: 1...TaskSettings.maximumFacts)
        let form = MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!
        let seed = UInt64(try settings.int("seed", in: 0...Int.max))
        try settings.finish()

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for path in weights {
            let model = try QualityModel(path: laboratory.path(path), mlaForm: form)
            for task in tasks {
                let generator = try TaskGenerator(
                    task: task, split: .test, seed: seed,
                    settings: TaskSettings(facts: facts...facts, questions: questions...questions))
                let length = generator.document(0).text.utf8.count
                for scheme in schemes {
                    // A scheme that does not suit the model is refused before anything is measured.
                    _ = try CacheLayout(spec: model.checkpoint.configuration.cacheSpec(mlaForm: form), scheme: scheme)
                    let name = "tasks/\(model.checkpoint.name)/\(task.rawValue)/\(scheme)"
                    guard plans[name] == nil else { throw settings.bad("schemes", "holds \(scheme) twice") }
                    plans[name] = Plan(model: model, scheme: scheme, generator: generator)
                    cells.append(Cell(name: name, cost: Double(documents * length)))
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        let scorer = try TaskScorer(engine: engine, tokenizer: plan.model.tokenizer, scheme: plan.scheme)
        return try (0..<documents).flatMap { index in
            let document = plan.generator.document(index)
            return zip(document.answers, try scorer.score(document)).enumerated().map { number, scored in
                let row: Row = [
                    "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name),
                    "scheme": .string(plan.scheme.description), "task": .string(document.task.rawValue),
                    "seed": .int(Int64(bitPattern: document.seed)), "document": .int(Int64(index)),
                    "answer": .int(Int64(number)), "distance_bytes": .int(Int64(scored.0.distance)),
                    "right": .int(scored.1 ? 1 : 0),
                ]
                return (Self.schema, row)
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
            .init("task", .string, "Task, its test split"),
            .init("seed", .int, units: "1", "Seed of the documents"),
            .init("document", .int, units: "1", "Document of the seed"),
            .init("answer", .int, units: "1", "Answer of the document"),
            .init("distance_bytes", .int, units: "byte", "Text between the fact and the answer; 0: nothing is looked up"),
            .init("right", .int, units: "1", "1 when every token of the answer is the most likely one"),
        ])
}
