import Engine
import Models
import Results

/// Decode steps of an agent while the cache of another is saved again and again, and the same while nothing is saved.
///
/// The writer has a context as long as the decoder's and takes one turn of a token after another beside it, in both modes;
/// what differs is whether its turns are saved, by the thread beside the steps.
public final class SavingExperiment: Experiment {
    public static let name = "saving"
    public static let summary = "decode steps while another agent's cache is saved, and while nothing is saved"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let outputTokens: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        outputTokens = try settings.int("output_tokens", in: 3...100_000)
        // A turn of the writer takes a step at least, and has two tokens.
        plan = try AgentPlan(Self.name, settings, laboratory, extra: 2 * outputTokens)
        try settings.finish()
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
        try bench.warmUp()
        let modes = ["saving", "not saving"]
        let agents = modes.flatMap { ["decoder, \($0)", "writer, \($0)"] }
        try laboratory.requireDiskSpace(
            agents.count * bench.layout.agentBytes(tokens: entry.context + 2 * outputTokens) * 11 / 10 + (16 << 20))
        try bench.prime(agents, tokens: entry.context, seed: plan.seed)
        var generator = plan.generator(entry)
        let paperModel = try laboratory.paperModel(shape: entry.shape)
        return try modes.shuffled(using: &generator).enumerated().map { index, mode in
            bench.setPages(of: agents, dropped: false)
            var policy = SchedulerPolicy()
            policy.maximumBatch = 2
            policy.saves = mode == "saving"
            let scheduler = bench.scheduler(policy: policy)
            let start = bench.now
            let (turn, writerTurns) = try decode(bench, scheduler, mode, context: entry.context)
            let seconds = (bench.now - start).seconds
            // The last turn of the writer and the last saves are nobody's time.
            _ = try scheduler.drain()
            guard scheduler.statistics.failedSaves == 0 else {
                throw ExperimentsError.turnFailed(agent: "the writer", reason: scheduler.statistics.lastSaveFailure)
            }
            var row = bench.row(
                turn,
                AgentBench.Conditions(
                    cell: cell.name, pass: entry.pass, order: entry.order * 10 + index, shape: entry.shape,
                    paperModel: paperModel, mode: mode, state: "warm", context: entry.context, batch: 2, start: start),
                wallSeconds: seconds)
            row["p95_step_seconds"] = .double(Statistics.quantile(turn.stepSeconds, 0.95))
            row["writer_turns"] = .int(Int64(writerTurns))
            row["saves"] = .int(Int64(scheduler.statistics.saves))
            return (Self.schema, row)
        }
    }

    /// The decoder's turn, and how many turns the writer took beside it.
    private func decode(
        _ bench: AgentBench, _ scheduler: ConcurrentScheduler, _ mode: String, context: Int
    ) throws -> (ScheduledTurn, Int) {
        var prompt = [Int32](repeating: 0, count: context)
        try scheduler.submit(
            ScheduledRequest(agent: "decoder, \(mode)", prompt: prompt, maximumTokens: outputTokens))
        prompt += bench.tokens(1, seed: plan.seed)
        try scheduler.submit(ScheduledRequest(agent: "writer, \(mode)", prompt: prompt, maximumTokens: 1))
        var writerTurns = 0
        while true {
            let turns = try bench.serve(1, on: scheduler).turns
            if let decoded = turns.first(where: { $0.agent.hasPrefix("decoder") }) { return (decoded, writerTurns) }
            writerTurns += 1
            prompt += turns[0].tokens
            try scheduler.submit(ScheduledRequest(agent: "writer, \(mode)", prompt: prompt, maximumTokens: 1))
        }
    }

    public static let schema = TableSchema(
        name: name, title: "Decode beside saves, one row per decoder",
        columns: AgentBench.schema(name: name, title: "").columns + [
            ColumnSchema("p95_step_seconds", .double, units: "s", "95th percentile of the times between two tokens"),
            ColumnSchema("writer_turns", .int, units: "1", "Turns of the writer beside the decoder"),
            ColumnSchema("saves", .int, units: "1", "Saves of both agents; the last two may end after the decoder"),
        ])
}
