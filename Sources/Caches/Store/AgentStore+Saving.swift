import Dispatch
import Foundation
import Tensors

extension AgentStore {
    /// Saves a cache before it returns. On the cache's own thread.
    /// - Throws: ``CachesError/cannotSave(agent:reason:)`` or ``CachesError/readOnly(folder:reason:)``; what was saved
    ///   before is whole then.
    public func save(_ cache: AgentCache) throws {
        let snapshot = try cache.snapshot()
        state.withLock { $0.wait(snapshot) }
        if let error = saver.sync(execute: { saveWaiting(cache.agent) }) { throw error }
    }

    /// Takes a snapshot of the cache and saves it on another thread. A snapshot of the same agent that still waits is
    /// replaced. On the cache's own thread.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public func saveLater(_ cache: AgentCache) throws {
        let snapshot = try cache.snapshot()
        state.withLock { $0.wait(snapshot) }
        saver.async { _ = self.saveWaiting(snapshot.agent) }
    }

    /// Waits until everything that changed is on disk.
    /// - Throws: the first error that a save met since the last flush.
    public func flush() throws {
        let unsaved = try state.withLock { state in
            try state.entries.values.filter { $0.isDirty && $0.pins == 0 }.compactMap { entry -> String? in
                try state.waitIfUnsaved(entry) ? entry.agent : nil
            }
        }
        for agent in unsaved { saver.async { _ = self.saveWaiting(agent) } }
        saver.sync {}
        let error = state.withLock { state in
            defer { state.saveError = nil }
            return state.saveError
        }
        if let error { throw error }
    }

    /// Saves what waits of an agent. On the saver's queue.
    /// - Returns: what went wrong.
    func saveWaiting(_ agent: String) -> (any Error)? {
        let id = CacheFolder.id(of: agent)
        let (waiting, version) = state.withLock { state in
            defer { state.entries[id]?.waiting = nil }
            return (state.entries[id]?.waiting, state.entries[id]?.waitingVersion ?? 0)
        }
        guard let waiting else { return nil }
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = write(waiting)
        // Mapped now, so that evicting the agent leaves it warm. Encrypted files are not mapped.
        let stored = folder.isEncrypted ? nil : try? folder.agent(agent).open(identity: identity, layout: layout)
        return state.withLock { state in
            state.statistics.saveSeconds += (clock.now - start).seconds
            switch outcome {
            case .success(let report):
                state.statistics.saves += 1
                state.statistics.savedBytes += report.bytesWritten
                guard var entry = state.entries[id] else { return nil }
                entry.savedVersion = max(entry.savedVersion, version)
                entry.stored = stored
                entry.isReady = false
                state.entries[id] = entry
                return nil
            case .failure(let error):
                state.statistics.savesFailed += 1
                if state.saveError == nil { state.saveError = error }
                return error
            }
        }
    }

    private func write(_ snapshot: consuming CacheSnapshot) -> Result<SaveReport, any Error> {
        Result {
            if let reason = folder.readOnlyReason { throw CachesError.readOnly(folder: folder.path, reason: reason) }
            return try folder.agent(snapshot.agent).save(snapshot, identity: identity)
        }
    }
}

extension AgentStore.State {
    /// Puts a snapshot where the saver finds it.
    mutating func wait(_ snapshot: CacheSnapshot) {
        let id = CacheFolder.id(of: snapshot.agent)
        var entry = entries[id, default: AgentStore.Entry(agent: snapshot.agent)]
        if entry.waiting != nil { statistics.savesReplaced += 1 }
        entry.version += 1
        entry.waiting = snapshot
        entry.waitingVersion = entry.version
        entries[id] = entry
    }

    /// Puts a snapshot of an agent that nobody has checked out where the saver finds it, unless its last change waits there.
    /// - Returns: whether something waits now.
    mutating func waitIfUnsaved(_ entry: AgentStore.Entry) throws -> Bool {
        let waits = entry.waiting != nil && entry.waitingVersion == entry.version
        guard entry.isDirty, !waits, let cache = entry.cache else { return waits }
        wait(try cache.snapshot())
        return true
    }
}
