import Caches
import Engine
import Models
import Results
import Schemes
import Tensors

/// Agents that take turns, round robin, in a budget that holds fewer of them: computed again each time, loaded from disk
/// each time, or loaded while the one before still decodes.
///
/// The budget holds `budget_agents` agents in FP16, in every mode; quantized agents are smaller, so more of them stay. No
/// paper measures this; arXiv 2603.04428 projects that a reload hides behind other agents' decodes.
public final class ThrashExperiment: Experiment {
    public static let name = "thrash"
    public static let summary = "agents round robin in a budget that holds fewer: prefill again, reload, prefetch"

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let agents: Int
    private let budgetAgents: Int
    private let rounds: Int
    private let outputTokens: Int
    private let newTokens: Int
    private let pages: String

    /// A way to bring an agent back.
    private enum Mode: String, CaseIterable {
        case reprefillFP16 = "fp16 re-prefill"
        case persistedFP16 = "fp16 persisted"
        case persisted
        case prefetched = "persisted, prefetched"

        var isFP16: Bool { self == .reprefillFP16 || self == .persistedFP16 }

        func label(_ scheme: String) -> String { isFP16 ? rawValue : "\(scheme) \(rawValue)" }
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        agents = try settings.int("agents", in: 2...1000)
        budgetAgents = try settings.int("budget_agents", in: 1...1000)
        rounds = try settings.int("rounds", in: 1...1000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        newTokens = try settings.int("new_tokens", in: 1...100_000)
        pages = try settings.string("page_cache", oneOf: ["resident", "dropped"])
        plan = try AgentPlan(Self.name, settings, laboratory, extra: rounds * (outputTokens + newTokens))
        try settings.finish()
        guard budgetAgents < agents else {
            throw settings.bad("budget_agents", "is \(budgetAgents), which holds all \(agents) agents")
        }
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        var generator = plan.generator(entry)
        return try Mode.allCases.shuffled(using: &generator).enumerated().flatMap { index, mode in
            try run(cell, entry, mode, order: entry.order * 10 + index)
        }
    }

    private func run(
        _ cell: Cell, _ entry: AgentPlan.Entry, _ mode: Mode, order: Int
    ) throws -> [(schema: TableSchema, row: Row)] {
        let bench = try AgentBench(
            laboratory, shape: entry.shape, scheme: mode.isFP16 ? "fp16" : entry.scheme, seed: plan.seed)
        try bench.warmUp()
        let names = (0..<agents).map { "agent \($0)" }
        let longest = entry.context + rounds * (newTokens + outputTokens)
        let fp16 = try CacheLayout(spec: bench.engine.model.cacheSpec, scheme: CacheScheme(expression: "fp16"))
        var policy = SchedulerPolicy()
        policy.maximumBatch = 1
        policy.prefetches = mode == .prefetched
        policy.saves = mode != .reprefillFP16
        let probe = bench.scheduler(stored: false, policy: policy)
        // Room for the peak of one agent more than is held, in whichever scheme needs more.
        let budget = max(
            budgetAgents * fp16.agentBytes(tokens: longest + blockTokens) + bench.layout.agentBytes(tokens: blockTokens) * 4,
            probe.peakBytes(promptTokens: longest, maximumTokens: outputTokens))
        if mode != .reprefillFP16 {
            try laboratory.requireDiskSpace(agents * bench.layout.agentBytes(tokens: longest) * 11 / 10 + (16 << 20))
            try bench.prime(names, tokens: entry.context, seed: plan.seed)
        }
        let scheduler = bench.scheduler(budgetBytes: budget, stored: mode != .reprefillFP16, policy: policy)
        var history = [[Int32]](repeating: [Int32](repeating: 0, count: entry.context), count: agents)
        let label = mode.label(entry.scheme)
        let paperModel = try laboratory.paperModel(shape: entry.shape)
        var rows: [(schema: TableSchema, row: Row)] = []
        let start = bench.now
        for round in 0..<rounds {
            for (index, name) in names.enumerated() {
                let resident = Set(scheduler.residentAgents)
                bench.setPages(of: names.filter { !resident.contains($0) && policy.saves }, dropped: pages == "dropped")
                let loaded = scheduler.statistics.bytesLoaded
                // Who comes next: used where prefetching is on.
                scheduler.prefetch((1..<min(3, agents)).map { names[(index + $0) % agents] })
                let prompt = history[index] + bench.tokens(newTokens, seed: UInt64(round * agents + index))
                try scheduler.submit(ScheduledRequest(agent: name, prompt: prompt, maximumTokens: outputTokens))
                let (turns, seconds) = try bench.serve(1, on: scheduler)
                history[index] = prompt + turns[0].tokens
                let conditions = AgentBench.Conditions(
                    cell: cell.name, pass: entry.pass, order: order * 10_000 + round * agents + index,
                    shape: entry.shape, paperModel: paperModel, mode: label, state: pages, context: entry.context,
                    batch: agents, start: start)
                rows.append(
                    (
                        Self.schema,
                        bench.row(
                            turns[0], conditions, wallSeconds: seconds,
                            bytesLoaded: scheduler.statistics.bytesLoaded - loaded)
                    ))
            }
        }
        return rows
    }

    public static let schema = AgentBench.schema(name: name, title: "Agents round robin in a small budget, one row per turn")
}
