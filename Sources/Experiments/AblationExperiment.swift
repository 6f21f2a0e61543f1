import Caches
import Engine
import Models
import Results
import Schemes
import Tensors

/// The four components of the paper, each measured with it and without it, all others in place.
///
/// - persistence: an evicted agent gets its identical prompt again; without, nothing of it was kept.
/// - quantization: agents that fill a budget; without, their rows are FP16.
/// - batching: two agents whose caches are on disk are served together; without, one after the other.
/// - cross-phase: the last phase of a ``PhaseStory``; without, no phase finds what agents cached in earlier ones.
/// - Source: arXiv 2603.04428, table 6, whose rows are taken from its other tables; its gain of batching is a definition.
public final class AblationExperiment: Experiment {
    public static let name = "ablation"
    public static let summary = "persistence, quantization, batching and cross-phase context, each with and without"

    /// A component, and in which unit its worth is measured.
    private enum Component: String, CaseIterable {
        case persistence
        case quantization = "q4 vs fp16"
        case batching
        case crossPhase = "cross-phase"

        var metric: String {
            switch self {
            case .persistence: "TTFT of an evicted agent"
            case .quantization: "agents in the budget"
            case .batching: "tokens per second of two agents"
            case .crossPhase: "TTFT of the last phase"
            }
        }

        var unit: String {
            switch self {
            case .persistence, .crossPhase: "s"
            case .quantization: "1"
            case .batching: "1/s"
            }
        }
    }

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let capacityContext: Int
    private let budgetAgents: Int
    private let batchingContext: Int
    private let sceneTokens: Int
    private let outputTokens: Int

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let persistenceContext = try settings.int("persistence_context", in: 2...10_000_000)
        capacityContext = try settings.int("capacity_context", in: 1...10_000_000)
        budgetAgents = try settings.int("budget_agents", in: 1...10_000)
        batchingContext = try settings.int("batching_context", in: 2...10_000_000)
        sceneTokens = try settings.int("scene_tokens", in: 2...1_000_000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        let models = try AgentPlan.shapes(settings, laboratory)
        let story = PhaseStory.longest(sceneTokens: sceneTokens, outputTokens: outputTokens)
        for (key, tokens) in [("batching_context", batchingContext + outputTokens), ("scene_tokens", story)] {
            if let model = models.first(where: { $0.contextLimit < tokens }) {
                throw settings.bad(
                    key, "makes a context of \(tokens) tokens, more than the \(model.contextLimit) that \(model.name) takes")
            }
        }
        plan = try AgentPlan(
            Self.name, settings, models: models, contexts: [persistenceContext], named: "persistence_context",
            extra: outputTokens)
        try settings.finish()
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
        try bench.warmUp()
        try laboratory.requireDiskSpace(
            bench.layout.agentBytes(tokens: entry.context) + 2 * bench.layout.agentBytes(tokens: batchingContext) + (16 << 20))
        try bench.prime(["evicted"], tokens: entry.context, seed: plan.seed)
        try bench.prime(["A", "B"], tokens: batchingContext, seed: plan.seed)
        var generator = plan.generator(entry)
        let runs = Component.allCases.flatMap { [($0, true), ($0, false)] }.shuffled(using: &generator)
        let engine = bench.engine
        let paperModel = try laboratory.paperModel(shape: entry.shape)
        return try runs.enumerated().map { index, run in
            let (component, isOn) = run
            let (value, context) = try measure(component, isOn, bench, entry)
            let row: Row = [
                "cell": .string(cell.name), "pass": .int(Int64(entry.pass)),
                "order": .int(Int64(entry.order * 100 + index)), "shape": .string(entry.shape),
                "paper_model": .string(paperModel), "weights": .string(engine.model.weightsLabel),
                "scheme": .string(bench.layout.scheme.description), "component": .string(component.rawValue),
                "metric": .string(component.metric), "unit": .string(component.unit), "enabled": .int(isOn ? 1 : 0),
                "context_tokens": .int(Int64(context)), "value": .double(value),
                "threads": .int(Int64(engine.execution.workers.threadCount)), "isa": .string(engine.execution.isaName),
                "compute": .string(engine.execution.compute.rawValue),
            ]
            return (Self.schema, row)
        }
    }

    /// - Returns: the value in the component's unit, and the context that it was measured at.
    private func measure(
        _ component: Component, _ isOn: Bool, _ bench: AgentBench, _ entry: AgentPlan.Entry
    ) throws -> (value: Double, context: Int) {
        switch component {
        case .persistence:
            let scheduler = bench.scheduler(stored: isOn, policy: policy(batch: 1))
            bench.setPages(of: ["evicted"], dropped: false)
            let turns = try serve(["evicted"], context: entry.context, tokens: 2, bench, scheduler).turns
            return (turns[0].ttftSeconds, entry.context)
        case .quantization:
            let fp16 = try CacheLayout(spec: bench.engine.model.cacheSpec, scheme: CacheScheme(expression: "fp16"))
            // A block more of every layer, for the last agent while it grows.
            let budget =
                budgetAgents * fp16.agentBytes(tokens: capacityContext) + fp16.layers.reduce(0) { $0 + $1.blockBytes }
            let filled = try FilledPool(
                budgetBytes: budget, layout: isOn ? bench.layout : fp16, tokens: capacityContext, seed: plan.seed,
                execution: laboratory.execution)
            return (Double(filled.agents), capacityContext)
        case .batching:
            let agents = ["A", "B"]
            let scheduler = bench.scheduler(policy: policy(batch: isOn ? 2 : 1))
            bench.setPages(of: agents, dropped: false)
            let (turns, seconds) = try serve(agents, context: batchingContext, tokens: outputTokens, bench, scheduler)
            return (Double(turns.reduce(0) { $0 + $1.tokens.count }) / seconds, batchingContext)
        case .crossPhase:
            let story = PhaseStory(
                sceneTokens: sceneTokens, outputTokens: outputTokens, seed: UInt64(entry.order * 100))
            let turns = try story.play(on: bench, keeping: isOn ? .everything : .phase)
            let last = turns.filter { $0.phase == PhaseStory.phases.last!.name }.map(\.turn.ttftSeconds)
            return (last.reduce(0, +) / Double(last.count), sceneTokens)
        }
    }

    /// What is on disk stays as it was, for the next run.
    private func policy(batch: Int) -> SchedulerPolicy {
        var policy = SchedulerPolicy()
        policy.maximumBatch = batch
        policy.saves = false
        return policy
    }

    private func serve(
        _ agents: [String], context: Int, tokens: Int, _ bench: AgentBench, _ scheduler: ConcurrentScheduler
    ) throws -> (turns: [ScheduledTurn], seconds: Double) {
        let prompt = [Int32](repeating: 0, count: context)
        for agent in agents {
            try scheduler.submit(ScheduledRequest(agent: agent, prompt: prompt, maximumTokens: tokens))
        }
        return try bench.serve(agents.count, on: scheduler)
    }

    public static let schema = TableSchema(
        name: name, title: "Components with and without, one row per run",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("shape", .string, "Model shape that ran"),
            .init("paper_model", .string, "Published model that the shape stands for"),
            .init("weights", .string, "Weights that ran"),
            .init("scheme", .string, "Cache scheme of the whole system, read back from the layout"),
            .init("component", .string, "Component, as the paper names it"),
            .init("metric", .string, "What the value is"),
            .init("unit", .string, "Unit of the value"),
            .init("enabled", .int, units: "1", "1 with the component, 0 without"),
            .init("context_tokens", .int, units: "1", "Tokens of an agent's context; of a scene for cross-phase"),
            .init("value", .double, "What was measured, in the unit of the row"),
            .init("threads", .int, units: "1", "Threads"),
            .init("isa", .string, "Instruction set of the kernels"),
            .init("compute", .string, "Arithmetic: reference or fast"),
        ])
}
