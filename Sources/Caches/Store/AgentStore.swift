import Dispatch
import Foundation
import Synchronization
import Tensors

/// Agents' caches in three tiers under one byte budget.
///
/// - hot: the blocks are the agent's to use, and count against the pool's budget;
/// - warm: the files are mapped and checked but for their blocks; costs next to nothing;
/// - cold: on disk only.
///
/// A turn is ``checkOut(_:)``, some steps, ``checkIn(_:save:)``. Who is checked out is pinned; of the others some are
/// evicted when the budget is full, in the order of an ``EvictionOrder``, after they were saved. Saves and prefetches run on threads
/// of their own. May be used from any thread; a cache belongs to whoever checked it out.
public final class AgentStore: Sendable {
    public let folder: CacheFolder
    public let identity: CacheIdentity
    public let layout: CacheLayout
    public let pool: BlockPool
    let workers: WorkerPool?
    let order: any EvictionOrder
    let state = Mutex(State())
    let saver = DispatchQueue(label: "kvlab.save", qos: .utility)
    let prefetcher = DispatchQueue(label: "kvlab.prefetch", qos: .utility)

    /// Agents that are kept warm at most.
    static let maximumWarm = 64

    public enum Tier: String, Sendable, CaseIterable {
        case hot, warm, cold
        /// There is no cache of the agent.
        case absent
    }

    /// All that is known of one agent.
    struct Entry {
        let agent: String
        var cache: AgentCache?
        var stored: StoredAgent?
        /// Were the blocks of ``stored`` read and verified?
        var isReady = false
        /// Did a prefetch bring it where it is, and nobody use it since?
        var isPrefetched = false
        var pins = 0
        var lastUse = 0
        var nextUse: Int?
        var reloadSeconds: Double?
        /// Changes, and the change that is on disk.
        var version = 0
        var savedVersion = 0
        /// What waits for the saver.
        var waiting: CacheSnapshot?
        var waitingVersion = 0
        var prefetch: Prefetch?

        var isDirty: Bool { savedVersion < version }
    }

    struct State {
        /// By id, since names that look the same may be different bytes.
        var entries: [String: Entry] = [:]
        var clock = 0
        var statistics = Statistics()
        var saveError: (any Error)?
    }

    /// - Parameters:
    ///   - workers: threads that bring back an agent that somebody waits for; nil for the caller's alone.
    public init(
        folder: CacheFolder, identity: CacheIdentity, layout: CacheLayout, pool: BlockPool, workers: WorkerPool?,
        order: any EvictionOrder = LeastRecentlyUsed()
    ) {
        self.folder = folder
        self.identity = identity
        self.layout = layout
        self.pool = pool
        self.workers = workers
        self.order = order
        pool.onPressure { [weak self] in self?.makeRoom($0) ?? false }
    }

    deinit { pool.onPressure(nil) }

    public var statistics: Statistics { state.withLock { $0.statistics } }

    /// Where an agent is.
    public func tier(of agent: String) -> Tier {
        let known = state.withLock { state -> Tier? in
            guard let entry = state.entries[CacheFolder.id(of: agent)] else { return nil }
            return entry.cache != nil ? .hot : entry.stored != nil ? .warm : nil
        }
        return known ?? (folder.agent(agent).exists ? .cold : .absent)
    }

    /// Keeps an agent in memory until ``unpin(_:)``, as often as this is called.
    public func pin(_ agent: String) { update(agent) { $0.pins += 1 } }

    /// - Precondition: ``pin(_:)`` or ``checkOut(_:)`` came before.
    public func unpin(_ agent: String) {
        update(agent) {
            precondition($0.pins > 0, "agent '\(agent)' is not pinned")
            $0.pins -= 1
        }
    }

    /// Counts as a use of the agent.
    public func touch(_ agent: String) {
        state.withLock { state in
            state.clock += 1
            state.entries[CacheFolder.id(of: agent)]?.lastUse = state.clock
        }
    }

    /// Announces whose turn comes next, the very next first. Replaces what was announced before.
    public func announce(_ agents: [String]) {
        state.withLock { state in
            for id in state.entries.keys { state.entries[id]!.nextUse = nil }
            for (place, agent) in agents.enumerated().reversed() {
                state.entries[CacheFolder.id(of: agent), default: Entry(agent: agent)].nextUse = place
            }
        }
    }

    func update(_ agent: String, _ change: (inout Entry) -> Void) {
        state.withLock { change(&$0.entries[CacheFolder.id(of: agent), default: Entry(agent: agent)]) }
    }
}
