import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Several agents on one scheduler, for experiments that serve them.
///
/// Contexts that agents bring along are synthetic rows, stored in the scheme and saved as any others: what is measured is
/// time, not what is said.
final class AgentBench {
    /// The conditions of a run, as its rows tell them.
    struct Conditions {
        var cell: String
        var pass: Int
        var order: Int
        var shape: String
        var paperModel: String
        /// What this run does differently from its neighbours.
        var mode: String
        var state: String
        var context: Int
        var batch: Int
        /// When this run began.
        var start: ContinuousClock.Instant
    }

    let engine: Engine
    let layout: CacheLayout
    private let laboratory: Laboratory
    private let caches: CacheFolder
    private let clock = ContinuousClock()

    /// A bench with the synthetic weights of a shape.
    /// - Throws: ``SchemeError`` or what making the model throws.
    convenience init(_ laboratory: Laboratory, shape: String, scheme: String, seed: UInt64) throws {
        try self.init(laboratory, engine: laboratory.engine(shape: shape, seed: seed), scheme: scheme)
    }

    /// - Throws: ``SchemeError``.
    init(_ laboratory: Laboratory, engine: Engine, scheme: String) throws {
        self.laboratory = laboratory
        self.engine = engine
        layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: scheme))
        caches = try CacheFolder(path: "\(laboratory.cacheFolder)/agents-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(atPath: caches.path) }

    /// A scheduler with the agents in this bench's folder.
    /// - Parameters:
    ///   - budgetBytes: of its pool; nil for as much as is asked for.
    ///   - stored: are agents kept on disk?
    func scheduler(budgetBytes: Int? = nil, stored: Bool = true, policy: SchedulerPolicy) -> ConcurrentScheduler {
        let pool = BlockPool(budgetBytes: budgetBytes ?? .max / 2)
        return ConcurrentScheduler(
            engine: engine, layout: layout, pool: pool, store: stored ? files(pool) : nil, policy: policy)
    }

    private func files(_ pool: BlockPool) -> AgentFiles {
        AgentFiles(
            folder: caches, identity: CacheIdentity(model: engine.model), layout: layout, pool: pool,
            workers: WorkerPool(threads: 1))
    }

    /// Puts agents with `tokens` tokens each, all of them token 0, into the folder.
    func prime(_ agents: [String], tokens: Int, seed: UInt64) throws {
        let pool = BlockPool(budgetBytes: .max / 2)
        let files = files(pool)
        let context = try SyntheticContext(layout: layout, seed: seed, execution: engine.execution)
        for agent in agents {
            let cache = AgentCache(agent: agent, layout: layout, pool: pool)
            try context.fill(cache, to: tokens)
            try files.save(cache.snapshot())
        }
    }

    /// Puts the pages of the agents' files into the system's cache, or out of it.
    func setPages(of agents: [String], dropped: Bool) {
        for file in agents.flatMap({ caches.agent($0).files }) {
            if dropped { PageCacheControl.drop(file) } else { PageCacheControl.fill(file) }
        }
    }

    func warmUp() throws { try engine.warmUp(layout) }

    /// Token ids from a seed.
    func tokens(_ count: Int, seed: UInt64) -> [Int32] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in Int32.random(in: 0..<Int32(engine.model.vocabularySize), using: &generator) }
    }

    /// This moment, as turns count theirs.
    var now: ContinuousClock.Instant { clock.now }

    /// Steps until `count` turns have ended; saves may go on.
    /// - Returns: the turns, and seconds from the call to the last of them.
    /// - Throws: ``ExperimentsError/turnFailed(agent:reason:)``.
    func serve(_ count: Int, on scheduler: ConcurrentScheduler) throws -> (turns: [ScheduledTurn], seconds: Double) {
        let start = clock.now
        var turns: [ScheduledTurn] = []
        while turns.count < count {
            // A request that comes later is still on its way.
            if try !scheduler.step() { Thread.sleep(forTimeInterval: 0.001) }
            turns += scheduler.takeFinished()
        }
        let seconds = (clock.now - start).seconds
        for turn in turns {
            if case .failed(let reason) = turn.outcome {
                throw ExperimentsError.turnFailed(agent: turn.agent, reason: reason)
            }
        }
        return (turns, seconds)
    }

    func row(_ turn: ScheduledTurn, _ conditions: Conditions, wallSeconds: Double, bytesLoaded: Int = 0) -> Row {
        let exposed =
            switch turn.source {
            case .restored: turn.loadSeconds
            // A request that came before its cache waited for it.
            case .prefetched: min(turn.loadSeconds, turn.queuedSeconds)
            case .fresh, .hot, .refused: 0.0
            }
        return [
            "cell": .string(conditions.cell), "pass": .int(Int64(conditions.pass)),
            "order": .int(Int64(conditions.order)), "shape": .string(conditions.shape),
            "paper_model": .string(conditions.paperModel), "weights": .string(engine.model.weightsLabel),
            "scheme": .string(layout.scheme.description), "mode": .string(conditions.mode),
            "state": .string(conditions.state), "context_tokens": .int(Int64(conditions.context)),
            "batch": .int(Int64(conditions.batch)), "agent": .string(turn.agent),
            "source": .string(turn.source.rawValue), "match": .string(turn.match.rawValue),
            "prompt_tokens": .int(Int64(turn.promptTokens)), "hit_tokens": .int(Int64(turn.hitTokens)),
            "output_tokens": .int(Int64(turn.tokens.count)),
            "start_seconds": .double((turn.submitted - conditions.start).seconds), "queued_seconds": .double(turn.queuedSeconds),
            "ttft_seconds": .double(turn.ttftSeconds), "total_seconds": .double(turn.totalSeconds),
            "load_seconds": .double(turn.loadSeconds), "exposed_load_seconds": .double(exposed),
            "decode_step_seconds": .double(turn.stepSeconds.isEmpty ? .nan : Statistics.median(turn.stepSeconds)),
            "longest_step_seconds": .double(turn.stepSeconds.max() ?? .nan), "wall_seconds": .double(wallSeconds),
            "bytes_loaded": .int(Int64(bytesLoaded)),
            "threads": .int(Int64(engine.execution.workers.threadCount)), "isa": .string(engine.execution.isaName),
            "compute": .string(engine.execution.compute.rawValue),
        ]
    }

    /// One row for each turn of an agent.
    static func schema(name: String, title: String) -> TableSchema {
        TableSchema(
            name: name, title: title,
            columns: [
                .init("cell", .string, "Cell of the run"),
                .init("pass", .int, units: "1", "Repetition"),
                .init("order", .int, units: "1", "Place in the order of measurement"),
                .init("shape", .string, "Model shape that ran"),
                .init("paper_model", .string, "Published model that the shape stands for"),
                .init("weights", .string, "Weights that ran"),
                .init("scheme", .string, "Cache scheme, read back from the layout"),
                .init("mode", .string, "How agents were served"),
                .init("state", .string, "Where their contexts were before: cold, warm (on disk) or hot (in memory)"),
                .init("context_tokens", .int, units: "1", "Tokens of each agent's context"),
                .init("batch", .int, units: "1", "Agents served together"),
                .init("agent", .string, "Agent"),
                .init("source", .string, "Where the agent's cache was found: fresh, hot, restored, prefetched or refused"),
                .init("match", .string, "How the prompt stood to the cache: none, exact, extend or diverge"),
                .init("prompt_tokens", .int, units: "1", "Tokens of the prompt"),
                .init("hit_tokens", .int, units: "1", "Prompt tokens found in the cache"),
                .init("output_tokens", .int, units: "1", "Tokens generated"),
                .init("start_seconds", .double, units: "s", "From the start of the run to submitting"),
                .init("queued_seconds", .double, units: "s", "From submitting to the first step with the request"),
                .init("ttft_seconds", .double, units: "s", "From submitting to the first token"),
                .init("total_seconds", .double, units: "s", "From submitting to the last token"),
                .init("load_seconds", .double, units: "s", "Loading the agent's cache, wherever that happened"),
                .init("exposed_load_seconds", .double, units: "s", "The part of loading that the request waited for"),
                .init("decode_step_seconds", .double, units: "s", "Median time between two tokens"),
                .init("longest_step_seconds", .double, units: "s", "Longest time between two tokens"),
                .init("wall_seconds", .double, units: "s", "From the first request of the run to its last token"),
                .init("bytes_loaded", .int, units: "byte", "Bytes of caches that came from disk during the turn"),
                .init("threads", .int, units: "1", "Threads"),
                .init("isa", .string, "Instruction set of the kernels"),
                .init("compute", .string, "Arithmetic: reference or fast"),
            ])
    }
}
