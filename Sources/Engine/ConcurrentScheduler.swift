import CKernels
import Caches
import Foundation
import Models
import Tensors

/// Runs the turns of many agents at once on one engine: agents join and leave between any two steps.
///
/// One thread drives it with ``step()`` or ``drain()``; requests and cancellations may come from any thread. A step
/// holds one token of every decoding agent and, within the bounds of the ``SchedulerPolicy``, chunks of prompts, all in
/// one pass over the weights. What an agent gets depends on nobody else, to the bit: see ``PromptCuts``.
///
/// A request starts when the budget surely holds all that running requests can grow to; until then it waits, first come,
/// first served. Idle agents make room: they were saved after their turns, by a thread beside the steps, from a snapshot
/// that shares their blocks. Caches of waiting agents come in beside the steps too.
///
/// ```swift
/// let scheduler = ConcurrentScheduler(engine: engine, layout: layout, pool: pool, store: store)
/// try scheduler.submit(ScheduledRequest(agent: "anna", prompt: tokens, maximumTokens: 64))
/// let turns = try scheduler.drain()
/// ```
public final class ConcurrentScheduler: @unchecked Sendable {
    /// Who does what is done beside the steps.
    public enum Background: Sendable {
        /// Two threads of lower priority, one to load and one to save.
        case threads
        /// Nobody, until ``runBackgroundJob(_:)`` is called.
        case manual
    }

    public let policy: SchedulerPolicy
    public internal(set) var statistics = SchedulerStatistics()

    let engine: Engine
    let layout: CacheLayout
    let pool: BlockPool
    let storage: SchedulerStorage?
    /// nil where agents share nothing.
    let shared: SharedPrefixes?
    let background: Background
    let inbox = SchedulerInbox()
    let loader: SchedulerLane
    let saver: SchedulerLane
    let clock = ContinuousClock()

    // Of the driving thread only.
    var waiting: [SchedulerEntry] = []
    var running: [SchedulerEntry] = []
    var batch = BatchQuantizedKVCache()
    var residents = SchedulerResidents()
    /// Bytes set aside for caches that are being loaded.
    var loading: [String: Int] = [:]
    /// Agents that will have a turn, the next first.
    var hints: [String] = []
    var finished: [ScheduledTurn] = []
    var pace = SchedulerPace()

    /// - Parameter store: where agents are kept; nil to let go of them when room is needed. Its workers must not be the
    ///   engine's, or loading holds up steps.
    public init(
        engine: Engine, layout: CacheLayout, pool: BlockPool, store: AgentFiles?, policy: SchedulerPolicy = .init(),
        background: Background = .threads
    ) {
        self.engine = engine
        self.layout = layout
        self.pool = pool
        self.policy = policy
        self.background = background
        storage = store.map(SchedulerStorage.init)
        shared = policy.sharesPrefixes ? SharedPrefixes(layout: layout) : nil
        let hasThreads = background == .threads && store != nil
        loader = SchedulerLane(name: "kvlab-loader", niceness: hasThreads ? 5 : nil)
        saver = SchedulerLane(name: "kvlab-saver", niceness: hasThreads ? 19 : nil)
    }

    /// Agents that run together at most.
    var maximumBatch: Int { min(policy.maximumBatch, engine.model.maximumStepSequences) }

    /// The most bytes that a request can come to take.
    public func peakBytes(promptTokens: Int, maximumTokens: Int) -> Int {
        layout.peakBytes(tokens: promptTokens + maximumTokens, step: engine.model.maximumStepTokens)
    }

    // MARK: From any thread

    /// Queues a turn.
    /// - Throws: ``ModelsError/emptyPrompt``, ``ModelsError/contextTooLong(tokens:limit:model:)``,
    ///   ``EngineError/agentTooLarge(agent:needed:budget:)`` when the budget can never hold it, or
    ///   ``EngineError/queueFull(agent:waiting:)``: try again when others are done.
    @discardableResult
    public func submit(_ request: ScheduledRequest) throws -> RequestID {
        guard !request.prompt.isEmpty else { throw ModelsError.emptyPrompt }
        let tokens = request.prompt.count + request.maximumTokens
        guard tokens <= engine.model.contextLimit else {
            throw ModelsError.contextTooLong(
                tokens: tokens, limit: engine.model.contextLimit, model: engine.model.name)
        }
        let needed = peakBytes(promptTokens: request.prompt.count, maximumTokens: request.maximumTokens)
        guard needed <= pool.budgetBytes else {
            throw EngineError.agentTooLarge(agent: request.agent, needed: needed, budget: pool.budgetBytes)
        }
        guard let id = inbox.submit(request, limit: policy.queueLimit) else {
            throw EngineError.queueFull(agent: request.agent, waiting: policy.queueLimit)
        }
        return id
    }

    /// Ends a request before the next step. Its tokens so far are given out; its agent keeps what was computed.
    public func cancel(_ id: RequestID) { inbox.send(.cancelled(id)) }

    // MARK: From the driving thread

    /// Says which agents will have a turn soon, the next first: they are loaded beside the steps while there is room,
    /// and evicted last.
    public func prefetch(_ agents: [String]) { hints = agents }

    /// Requests that have not ended, as far as the last step knows.
    public var openRequests: Int { waiting.count + running.count }
    /// Agents whose caches are in memory.
    public var residentAgents: [String] { residents.all.keys.sorted() }

    /// Turns that ended since the last call.
    public func takeFinished() -> [ScheduledTurn] {
        defer { finished = [] }
        return finished
    }

    /// One step, or a wait for something to do.
    /// - Returns: false when there is nothing to do: every request ended and every agent is saved.
    /// - Throws: what a step throws that is not the fault of one agent's cache or tokens.
    @discardableResult
    public func step() throws -> Bool {
        takeMessages()
        admit()
        fetchNext()
        let steps = plan()
        guard steps.isEmpty else {
            run(steps)
            return true
        }
        return waitForBackground()
    }

    /// Steps until there is nothing to do.
    /// - Returns: the turns that ended.
    public func drain() throws -> [ScheduledTurn] {
        while try step() {}
        return takeFinished()
    }

    /// Does the next job that ``Background/manual`` leaves undone: a save, or else a load.
    /// - Returns: false when there was none.
    @discardableResult
    public func runBackgroundJob(saves: Bool) -> Bool { saves ? saver.runOne() : loader.runOne() }

    private func waitForBackground() -> Bool {
        if !inbox.isEmpty { return true }
        if saver.isBusy || loader.isBusy {
            if background == .manual {
                if !saver.runOne() { _ = loader.runOne() }
            } else {
                inbox.wait(seconds: 0.05)
            }
            return true
        }
        guard inbox.isEmpty else { return true }
        guard let first = waiting.first else { return false }
        // Nothing runs and nothing comes: someone else holds the budget.
        waiting.removeFirst()
        let missing = CachesError.budgetExceeded(
            needed: first.peakBytes, used: pool.usedBytes, budget: pool.budgetBytes)
        end(first, .failed("\(missing)"))
        return true
    }

    /// What must hold between steps.
    package func checkInvariants() {
        precondition(pool.usedBytes <= pool.budgetBytes, "over budget")
        precondition(running.count <= maximumBatch, "\(running.count) agents run")
        precondition(batch.rows.map(\.agent) == running.map(\.agent), "batch and requests differ")
        precondition(Set(running.map(\.agent)).count == running.count, "an agent runs twice")
        for entry in running {
            precondition(entry.resident!.isBusy && residents[entry.agent] === entry.resident, "not resident")
            precondition(entry.isDecoding ? entry.remaining == 0 : entry.remaining > 0, "phase")
        }
        for (agent, resident) in residents.all {
            precondition(resident.isBusy == running.contains { $0.agent == agent }, "busy")
            precondition(loading[agent] == nil, "loaded twice")
        }
    }
}
