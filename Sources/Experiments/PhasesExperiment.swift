import Caches
import Engine
import Models
import Results

/// Five phases with four agents and 25 turns, ``PhaseStory``: cold, each turn computes all that its agent heard and said;
/// persistent, each phase is appended to the agent's cache. No time between turns is measured, and nothing sleeps.
/// - Source: arXiv 2603.04428, table 7 and figure 5.
public final class PhasesExperiment: Experiment {
    public static let name = "phases"
    public static let summary = "five phases of four agents, each turn computed whole or appended to the agent's cache"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let outputTokens: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let output = try settings.int("output_tokens", in: 2...100_000)
        outputTokens = output
        let contexts = try settings.ints("contexts", in: 2...10_000_000)
        let extra = contexts.map { PhaseStory.longest(sceneTokens: $0, outputTokens: output) - $0 }.max()!
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
            let story = PhaseStory(
                sceneTokens: entry.context, outputTokens: outputTokens, seed: UInt64(entry.order * 100))
            let start = bench.now
            let turns = try story.play(on: bench, keeping: mode == "cold" ? .nothing : .everything)
            let wall = turns.reduce(0) { $0 + $1.turn.totalSeconds }
            return turns.enumerated().map { place, said in
                let conditions = AgentBench.Conditions(
                    cell: cell.name, pass: entry.pass, order: entry.order * 1000 + index * 100 + place,
                    shape: entry.shape, paperModel: paperModel, mode: mode, state: said.phase, context: entry.context,
                    batch: 1, start: start)
                return (Self.schema, bench.row(said.turn, conditions, wallSeconds: wall))
            }
        }
    }

    public static let schema = AgentBench.schema(name: name, title: "Five phases of four agents, one row per turn")
}
