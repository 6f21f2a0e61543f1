import Foundation
import Tensors

extension AgentStore {
    /// What a check-out found.
    public enum Found: Sendable, Equatable {
        /// The agent was in memory.
        case hot
        /// A prefetch had read and checked its blocks.
        case ready
        /// Its files were mapped.
        case warm
        /// It was on disk.
        case cold
        /// There was no cache of it.
        case absent
        /// There was one that cannot be used, and why; the agent starts afresh.
        case refused(reason: String)
    }

    /// An agent's cache for one turn.
    public struct CheckOut {
        public let cache: AgentCache
        public let found: Found
        /// Time until the cache could be used.
        public let seconds: Double
    }

    /// The agent's cache, brought into memory where it is not, and pinned until ``checkIn(_:save:)``.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)`` when the agent does not fit beside those that are
    ///   pinned; try again when one of them was checked in.
    public func checkOut(_ agent: String) throws -> CheckOut {
        let clock = ContinuousClock()
        let start = clock.now
        waitForPrefetch(agent)
        let id = CacheFolder.id(of: agent)
        let (hot, wasReady, stored) = state.withLock { state in
            state.clock += 1
            var entry = state.entries[id, default: Entry(agent: agent)]
            entry.pins += 1
            entry.lastUse = state.clock
            entry.nextUse = nil
            let result = (entry.cache, entry.isPrefetched, entry.isReady ? entry.stored : nil)
            entry.isPrefetched = false
            state.entries[id] = entry
            return result
        }
        var (cache, found) = (hot, wasReady ? Found.ready : .hot)
        if cache == nil {
            do {
                (cache, found) = try bringBack(agent, ready: stored)
            } catch {
                unpin(agent)
                throw error
            }
        }
        let seconds = (clock.now - start).seconds
        state.withLock { state in
            state.entries[id]!.cache = cache
            if found == .warm || found == .cold { state.entries[id]!.reloadSeconds = seconds }
            state.statistics.count(found)
            state.statistics.waitSeconds += seconds
        }
        return CheckOut(cache: cache!, found: found, seconds: seconds)
    }

    /// From files to memory. Whatever is wrong with the files, the agent starts afresh; only a full budget is thrown.
    private func bringBack(_ agent: String, ready: StoredAgent?) throws -> (AgentCache, Found) {
        do {
            if let ready { return (try ready.place(in: pool), .ready) }
            let id = CacheFolder.id(of: agent)
            let warm = state.withLock { $0.entries[id]?.stored }
            let stored = try warm ?? folder.agent(agent).open(identity: identity, layout: layout)
            stored.read(workers: workers)
            try stored.verify(workers: workers)
            let cache = try stored.place(in: pool)
            state.withLock { $0.entries[id]?.stored = folder.isEncrypted ? nil : stored }
            return (cache, warm == nil ? .cold : .warm)
        } catch let error as CachesError {
            switch error {
            case .budgetExceeded: throw error
            case .noAgent: return (AgentCache(agent: agent, layout: layout, pool: pool), .absent)
            default: return (refuse(agent), .refused(reason: "\(error)"))
            }
        } catch { return (refuse(agent), .refused(reason: "\(error)")) }
    }

    private func refuse(_ agent: String) -> AgentCache {
        update(agent) {
            $0.stored = nil
            $0.isReady = false
        }
        return AgentCache(agent: agent, layout: layout, pool: pool)
    }

    /// When a checked-in cache goes to disk.
    public enum SaveTime: Sendable {
        /// Before this returns.
        case now
        /// Soon, on a thread of its own; see ``flush()``.
        case later
        /// When the agent is evicted, or at the next ``flush()``.
        case whenEvicted
        /// The cache has not changed.
        case never
    }

    /// Ends a turn. The cache is the store's from now on: who keeps a reference to it keeps its memory from being freed.
    /// - Throws: what ``save(_:)`` throws, for ``SaveTime/now`` only; the agent is checked in all the same.
    public func checkIn(_ cache: AgentCache, save time: SaveTime = .later) throws {
        defer { unpin(cache.agent) }
        switch time {
        case .now: try save(cache)
        case .later: try saveLater(cache)
        case .whenEvicted: update(cache.agent) { $0.version += 1 }
        case .never: break
        }
    }
}

extension AgentStore.Statistics {
    fileprivate mutating func count(_ found: AgentStore.Found) {
        switch found {
        case .hot: hot += 1
        case .ready: ready += 1
        case .warm: warm += 1
        case .cold: cold += 1
        case .absent: absent += 1
        case .refused: refused += 1
        }
    }
}
