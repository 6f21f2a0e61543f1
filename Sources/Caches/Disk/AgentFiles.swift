import Tensors

/// Agents' caches on disk for one model and layout, without tiers: for those who keep track themselves of who is in memory.
/// ``AgentStore`` does that for everyone else.
public struct AgentFiles: Sendable {
    public let folder: CacheFolder
    public let identity: CacheIdentity
    public let layout: CacheLayout
    public let pool: BlockPool
    /// Threads that read and check; nil for the caller's alone.
    public let workers: WorkerPool?

    public init(
        folder: CacheFolder, identity: CacheIdentity, layout: CacheLayout, pool: BlockPool, workers: WorkerPool?
    ) {
        self.folder = folder
        self.identity = identity
        self.layout = layout
        self.pool = pool
        self.workers = workers
    }

    /// What came of looking for an agent's cache.
    public enum Restored {
        /// There was none.
        case fresh(AgentCache)
        case restored(AgentCache)
        /// There was one that cannot be used, and why; the agent starts afresh.
        case refused(AgentCache, reason: String)
    }

    /// The agent's cache, from its files where there are some that match and are whole.
    public func restore(_ agent: String) -> Restored {
        let place = folder.agent(agent)
        let empty = AgentCache(agent: agent, layout: layout, pool: pool)
        guard place.exists else { return .fresh(empty) }
        do {
            return .restored(try place.load(identity: identity, layout: layout, pool: pool, workers: workers).cache)
        } catch { return .refused(empty, reason: "\(error)") }
    }

    /// Saves a snapshot; what was saved before stays whole until it is done.
    /// - Throws: ``CachesError/cannotSave(agent:reason:)`` or ``CachesError/readOnly(folder:reason:)``.
    @discardableResult
    public func save(_ snapshot: CacheSnapshot) throws -> SaveReport {
        if let reason = folder.readOnlyReason { throw CachesError.readOnly(folder: folder.path, reason: reason) }
        return try folder.agent(snapshot.agent).save(snapshot, identity: identity)
    }
}
