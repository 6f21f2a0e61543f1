import Dispatch

extension AgentStore {
    /// Evicts an agent from memory, after saving it where it changed.
    /// - Returns: bytes that this freed; 0 when it is pinned, changed meanwhile, or not in memory.
    /// - Throws: what ``save(_:)`` throws; the agent stays in memory then.
    @discardableResult
    public func evict(_ agent: String) throws -> Int {
        let id = CacheFolder.id(of: agent)
        let isWaiting = try state.withLock { state in
            guard let entry = state.entries[id], entry.pins == 0 else { return false }
            return try state.waitIfUnsaved(entry)
        }
        if isWaiting, let error = saver.sync(execute: { saveWaiting(agent) }) { throw error }
        return state.withLock { state in
            guard let entry = state.entries[id], entry.pins == 0, entry.cache != nil, !entry.isDirty else { return 0 }
            return Self.evict(id, &state)
        }
    }

    /// Removes an agent from memory and from disk.
    /// - Throws: ``CachesError/noAgent(agent:folder:)`` when it is in neither, or what ``AgentFolder/remove()`` throws.
    public func remove(_ agent: String) throws {
        saver.sync {}
        let known = state.withLock { $0.entries.removeValue(forKey: CacheFolder.id(of: agent))?.cache != nil }
        let place = folder.agent(agent)
        if place.exists || !known { try place.remove() }
    }

    /// Evicts agents until `neededBytes` are free; what the pool calls when its budget is full.
    /// - Returns: whether anything was freed.
    func makeRoom(_ neededBytes: Int) -> Bool {
        let before = pool.usedBytes
        while before - pool.usedBytes < neededBytes, evictOne() {}
        let freed = pool.usedBytes < before
        if !freed { state.withLock { $0.statistics.noVictim += 1 } }
        return freed
    }

    private func evictOne() -> Bool {
        // No reference to the victim's cache is kept: its blocks go with it.
        let victim = state.withLock { state -> (agent: String, isDirty: Bool)? in
            guard let victim = self.victim(in: state) else { return nil }
            _ = try? state.waitIfUnsaved(victim)
            return (victim.agent, victim.isDirty)
        }
        guard let victim else { return false }
        // After the save that may run now.
        let failure = victim.isDirty ? saver.sync { saveWaiting(victim.agent) } : nil
        state.withLock { state in
            let id = CacheFolder.id(of: victim.agent)
            guard let entry = state.entries[id], entry.pins == 0, entry.cache != nil else { return }
            if entry.isDirty {
                // A newer change is saved first. After a failure what is on disk is older and whole, and is used then.
                guard failure != nil else { return }
                state.statistics.evictedUnsaved += 1
                state.entries[id]!.version = entry.savedVersion
                state.entries[id]!.waiting = nil
            }
            _ = Self.evict(id, &state)
        }
        return true
    }

    /// The agent that has to go.
    private func victim(in state: State) -> Entry? {
        let candidates = state.entries.values.filter { $0.cache != nil && $0.pins == 0 && $0.cache!.storedBytes > 0 }
        return candidates.map { entry in
            let bytes = entry.cache!.storedBytes
            let value = order.value(
                of: EvictionCandidate(
                    agent: entry.agent, bytes: bytes, lastUse: entry.lastUse, nextUse: entry.nextUse,
                    reloadSeconds: entry.reloadSeconds ?? Double(bytes) / Self.assumedBytesPerSecond))
            return (entry, value)
        }.min { ($0.1, $0.0.lastUse) < ($1.1, $1.0.lastUse) }?.0
    }

    /// What bringing back is taken to cost where it was not measured.
    private static let assumedBytesPerSecond = 1e9

    private static func evict(_ id: String, _ state: inout State) -> Int {
        var entry = state.entries[id]!
        let bytes = entry.cache!.storedBytes
        entry.cache = nil
        entry.isReady = false
        entry.stored?.letGo()
        if entry.isPrefetched { state.statistics.prefetchesWasted += 1 }
        entry.isPrefetched = false
        state.entries[id] = entry
        state.statistics.evictions += 1
        state.statistics.evictedBytes += bytes
        coolDown(&state)
        return bytes
    }

    /// Lets go of the mappings of agents that were not used for long.
    private static func coolDown(_ state: inout State) {
        let warm = state.entries.filter { $0.value.stored != nil && $0.value.cache == nil && $0.value.prefetch == nil }
        guard warm.count > maximumWarm, let oldest = warm.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
        state.entries[oldest.key]!.stored = nil
        state.entries[oldest.key]!.isReady = false
    }
}
