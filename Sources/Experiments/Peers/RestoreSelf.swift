import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

/// kvlab's own part of the restore comparison, in a process of its own like every peer's: `kvlab restore-job JOB.json`.
public final class RestoreSelf {
    private let job: RestoreJob
    private let print: (String) -> Void
    private var state = RestoreLine.State.load

    private init(_ job: RestoreJob, _ print: @escaping (String) -> Void) {
        self.job = job
        self.print = print
    }

    /// Does the job in `file` and prints a line of JSON for each state; what fails is a line too.
    /// - Throws: ``ExperimentsError/cannotRead(file:reason:)`` for a file that holds no job.
    public static func run(file: String, print: @escaping (String) -> Void) throws {
        let job: RestoreJob
        do {
            job = try JSONDecoder().decode(RestoreJob.self, from: try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw ExperimentsError.cannotRead(file: file, reason: "it holds no job of the restore comparison")
        }
        let own = RestoreSelf(job, print)
        do {
            try own.run()
        } catch {
            own.emit(RestoreLine(state: own.state, failure: "\(error)"))
        }
    }

    private func run() throws {
        let clock = ContinuousClock()
        var start = clock.now
        let execution = Execution(
            workers: WorkerPool(threads: job.threads), isa: try Execution.isa(named: nil), compute: .fast)
        let model = try Checkpoint.open(job.model).model(bits: .four, execution: execution, mlaForm: .expanded)
        let engine = Engine(model: model, execution: execution)
        let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: job.kv))
        // As llama-server does before it takes requests.
        try engine.warmUp(layout)
        emit(RestoreLine(state: .load, seconds: (clock.now - start).seconds))

        let identity = CacheIdentity(model: model)
        if job.phase == .first {
            try first(engine, layout, identity)
            state = .warm
        } else {
            state = .restart
        }
        start = clock.now
        let folder = try CacheFolder(path: job.folder).agent("agent")
        let (cache, _) = try folder.load(
            identity: identity, layout: layout, pool: BlockPool(budgetBytes: .max), workers: execution.workers)
        let seconds = (clock.now - start).seconds
        var line = try ask(AgentSession(engine: engine, cache: cache), job.prompt, job.outputTokens, state)
        line.seconds! += seconds
        emit(line)
        emit(
            RestoreLine(
                state: .end, version: "kvlab \(Version.current)", weights: model.weightsLabel, peakRSSBytes: ProcessFacts.peakResidentBytes()))
    }

    /// The context computed, saved, and asked of again while it is in memory; the cache is gone afterwards.
    private func first(_ engine: Engine, _ layout: CacheLayout, _ identity: CacheIdentity) throws {
        state = .cold
        let cache = AgentCache(agent: "agent", layout: layout, pool: BlockPool(budgetBytes: .max))
        var line = try ask(AgentSession(engine: engine, cache: cache), job.context, 1, .cold)
        line.memoryBytes = cache.storedBytes
        emit(line)
        state = .save
        let clock = ContinuousClock()
        let start = clock.now
        let folder = try CacheFolder(path: job.folder).agent("agent")
        try folder.save(cache.snapshot(), identity: identity)
        emit(RestoreLine(state: .save, seconds: (clock.now - start).seconds, diskBytes: folder.diskBytes))
        state = .hot
        emit(try ask(AgentSession(engine: engine, cache: cache), job.prompt, job.outputTokens, .hot))
    }

    private func ask(
        _ session: AgentSession, _ prompt: [Int32], _ count: Int, _ state: RestoreLine.State
    ) throws -> RestoreLine {
        let clock = ContinuousClock()
        let start = clock.now
        var first: Double?
        let turn = try session.respond(to: prompt, maximumTokens: count) { _ in
            first = first ?? (clock.now - start).seconds
            return true
        }
        return RestoreLine(state: state, seconds: first, tokens: turn.tokens, hitTokens: turn.hitTokens)
    }

    private func emit(_ line: RestoreLine) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A line of numbers and texts is always written.
        print(String(decoding: try! encoder.encode(line), as: UTF8.self))
    }
}
