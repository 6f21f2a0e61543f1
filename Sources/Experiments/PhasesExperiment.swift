import Caches
import Engine
import Models
import Results
import Tensors

/// Five phases with four agents and 25 turns: every agent hears what is said where it is present. Cold, each turn computes
/// all that its agent heard and said; persistent, each phase is appended to the agent's cache.
///
/// Numbers of rounds and agents are the paper's; who is present in which phase, it does not say: that is our own choice.
/// No time between turns is measured, and nothing sleeps.
/// - Source: arXiv 2603.04428, table 7 and figure 5.
public final class PhasesExperiment: Experiment {
    public static let name = "phases"
    public static let summary = "five phases of four agents, each turn computed whole or appended to the agent's cache"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let outputTokens: Int

    /// Who is present, and how often everybody speaks.
    private static let phases: [(name: String, rounds: Int, agents: [String])] = [
        ("1 interrogation A", 3, ["warden", "first"]),
        ("2 interrogation B", 3, ["warden", "second"]),
        ("3 the yard", 2, ["first", "second"]),
        ("4 final reckoning", 2, ["warden", "first", "second"]),
        ("5 verdict", 1, ["warden", "second", "judge"]),
    ]

    /// Tokens that an agent hears or says in the whole story, at most.
    private static func longest(context: Int, output: Int) -> Int {
        phases.count * context + phases.reduce(0) { $0 + $1.rounds * $1.agents.count } * output
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let output = try settings.int("output_tokens", in: 2...100_000)
        outputTokens = output
        let contexts = try settings.ints("contexts", in: 2...10_000_000)
        let extra = contexts.map { Self.longest(context: $0, output: output) - $0 }.max()!
        plan = try AgentPlan(Self.name, settings, laboratory, extra: extra)
        try settings.finish()
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
        try bench.warmUp()
        var generator = plan.generator(entry)
        let paperModel = try laboratory.paperModel(shape: entry.shape)
        return try ["cold", "persistent"].shuffled(using: &generator).enumerated().flatMap { index, mode in
            let turns = try story(bench, entry, isCold: mode == "cold")
            let wall = turns.reduce(0) { $0 + $1.turn.totalSeconds }
            return turns.enumerated().map { place, said in
                let conditions = AgentBench.Conditions(
                    cell: cell.name, pass: entry.pass, order: entry.order * 1000 + index * 100 + place,
                    shape: entry.shape, paperModel: paperModel, mode: mode, state: said.phase, context: entry.context,
                    batch: 1)
                return (Self.schema, bench.row(said.turn, conditions, wallSeconds: wall))
            }
        }
    }

    /// The whole story, turn by turn.
    private func story(
        _ bench: AgentBench, _ entry: AgentPlan.Entry, isCold: Bool
    ) throws -> [(phase: String, turn: ScheduledTurn)] {
        var policy = SchedulerPolicy()
        policy.maximumBatch = 1
        let keeping = bench.scheduler(stored: false, policy: policy)
        var heard: [String: [Int32]] = [:]
        var turns: [(phase: String, turn: ScheduledTurn)] = []
        for (number, phase) in Self.phases.enumerated() {
            // The same scene for everybody who is present.
            let scene = bench.tokens(entry.context, seed: UInt64(entry.order * 100 + number))
            for agent in phase.agents { heard[agent, default: []] += scene }
            for _ in 0..<phase.rounds {
                for speaker in phase.agents {
                    let scheduler = isCold ? bench.scheduler(stored: false, policy: policy) : keeping
                    try scheduler.submit(
                        ScheduledRequest(agent: speaker, prompt: heard[speaker]!, maximumTokens: outputTokens))
                    let turn = try bench.serve(1, on: scheduler).turns[0]
                    for agent in phase.agents { heard[agent]! += turn.tokens }
                    turns.append((phase.name, turn))
                }
            }
        }
        return turns
    }

    public static let schema = AgentBench.schema(name: name, title: "Five phases of four agents, one row per turn")
}
