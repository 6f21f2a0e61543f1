import Caches
import Engine
import Foundation
import Models
import Results
import Tensors

/// Two agents, nothing cached, the second some time after the first: one after another, or together.
/// - Source: arXiv 2603.04428, figure 3 and appendix F.
public final class StaggeredExperiment: Experiment {
    public static let name = "staggered"
    public static let summary = "two agents that come one after the other, served in turn and together"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let outputTokens: Int
    private let delaySeconds: Double
    private let prefillTokens: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        delaySeconds = try settings.double("delay_seconds", in: 0...3600)
        prefillTokens = try settings.int("prefill_tokens", in: 1...512)
        plan = try AgentPlan(Self.name, settings, laboratory, extra: outputTokens)
        try settings.finish()
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
        try bench.warmUp()
        var generator = plan.generator(entry)
        let paperModel = try laboratory.paperModel(shape: entry.shape)
        return try ["sequential", "batched"].shuffled(using: &generator).enumerated().flatMap { index, mode in
            var policy = SchedulerPolicy()
            policy.maximumBatch = mode == "batched" ? 2 : 1
            policy.prefillTokens = prefillTokens
            let scheduler = bench.scheduler(stored: false, policy: policy)
            let requests = ["A", "B"].enumerated().map { place, agent in
                ScheduledRequest(
                    agent: agent, prompt: bench.tokens(entry.context, seed: UInt64(entry.order * 10 + place)),
                    maximumTokens: outputTokens)
            }
            let start = bench.now
            try scheduler.submit(requests[0])
            let (late, delay) = (requests[1], delaySeconds)
            // B comes at its time, whatever the scheduler is doing then. Its request was checked as A's was.
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: delay)
                _ = try? scheduler.submit(late)
            }
            let (turns, seconds) = try bench.serve(2, on: scheduler)
            let conditions = AgentBench.Conditions(
                cell: cell.name, pass: entry.pass, order: entry.order * 10 + index, shape: entry.shape,
                paperModel: paperModel, mode: mode, state: "cold", context: entry.context, batch: 2,
                start: start)
            return turns.map { (Self.schema, bench.row($0, conditions, wallSeconds: seconds)) }
        }
    }

    public static let schema = AgentBench.schema(name: name, title: "Two agents that come one after the other, one row per turn")
}
