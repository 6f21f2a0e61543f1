import Caches
import Engine
import Models
import Results
import Tensors

/// Tokens per second of agents served together, against the same served with no company: cold (nothing cached), warm
/// (evicted to disk, the identical prompt) and hot (in memory, a further turn).
/// - Source: arXiv 2603.04428, table 4, whose "batch 1" is half of batch 2; here batch 1 is measured.
public final class BatchedExperiment: Experiment {
    public static let name = "batched"
    public static let summary = "tokens per second of agents served together and alone, cold, warm and hot"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let batches: [Int]
    private let states: [String]
    private let outputTokens: Int
    private let extendTokens: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        batches = try settings.ints("batches", in: 1...Decoder.StepLimits().sequences)
        states = try settings.strings("states", oneOf: ["cold", "warm", "hot"])
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        extendTokens = try settings.int("extend_tokens", in: 1...100_000)
        plan = try AgentPlan(Self.name, settings, laboratory, extra: extendTokens + outputTokens)
        try settings.finish()
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
        try bench.warmUp()
        let agents = (0..<batches.max()!).map { "agent \($0)" }
        if states != ["cold"] {
            try laboratory.requireDiskSpace(
                agents.count * bench.layout.agentBytes(tokens: entry.context) * 11 / 10 + (16 << 20))
            try bench.prime(agents, tokens: entry.context, seed: plan.seed)
        }
        var generator = plan.generator(entry)
        let runs = states.flatMap { state in batches.map { (state, $0) } }.shuffled(using: &generator)
        return try runs.enumerated().flatMap { index, run in
            let start = bench.now
            let (turns, seconds) = try measure(bench, Array(agents.prefix(run.1)), state: run.0, entry)
            let conditions = AgentBench.Conditions(
                cell: cell.name, pass: entry.pass, order: entry.order * 100 + index, shape: entry.shape,
                paperModel: try laboratory.paperModel(shape: entry.shape), mode: run.1 == 1 ? "alone" : "together",
                state: run.0, context: entry.context, batch: run.1, start: start)
            return turns.map { (Self.schema, bench.row($0, conditions, wallSeconds: seconds)) }
        }
    }

    private func measure(
        _ bench: AgentBench, _ agents: [String], state: String, _ entry: AgentPlan.Entry
    ) throws -> ([ScheduledTurn], Double) {
        var policy = SchedulerPolicy()
        policy.maximumBatch = agents.count
        // What is on disk stays as it was, for the next run.
        policy.saves = false
        let scheduler = bench.scheduler(stored: state != "cold", policy: policy)
        let context = [Int32](repeating: 0, count: entry.context)
        func submit(_ prompt: (Int) -> [Int32], _ maximum: Int) throws {
            for (index, agent) in agents.enumerated() {
                try scheduler.submit(ScheduledRequest(agent: agent, prompt: prompt(index), maximumTokens: maximum))
            }
        }
        switch state {
        case "cold":
            try submit({ bench.tokens(entry.context, seed: UInt64(entry.order * 100 + $0)) }, outputTokens)
        case "warm":
            bench.setPages(of: agents, dropped: false)
            try submit({ _ in context }, outputTokens)
        default:
            try submit({ _ in context }, 1)
            _ = try bench.serve(agents.count, on: scheduler)
            try submit({ context + bench.tokens(extendTokens, seed: UInt64($0)) }, outputTokens)
        }
        return try bench.serve(agents.count, on: scheduler)
    }

    public static let schema = AgentBench.schema(name: name, title: "Agents served together and alone, one row per turn")
}
