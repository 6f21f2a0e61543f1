import Caches
import Foundation
import Synchronization
import Testing

/// Tiers, eviction, prefetch and saves.
@Suite struct AgentStoreTests {
    /// A store with room for `agents` agents of 600 tokens, and the small cache that it is made of.
    private func store(
        agents: Int, order: any EvictionOrder = LeastRecentlyUsed(), in small: SmallCache? = nil
    ) throws -> (AgentStore, SmallCache) {
        let small = try small ?? SmallCache(window: nil)
        let pool = BlockPool(budgetBytes: agents * small.layout.agentBytes(tokens: 600))
        let store = AgentStore(
            folder: try CacheFolder(path: small.folder), identity: small.identity, layout: small.layout, pool: pool,
            workers: nil, order: order)
        return (store, small)
    }

    /// One turn: 600 tokens, if there are none yet.
    private func turn(
        _ store: AgentStore, _ small: SmallCache, _ agent: String, save: AgentStore.SaveTime = .later
    ) throws -> AgentStore.Found {
        let out = try store.checkOut(agent)
        if out.cache.count == 0 { try small.append(600, to: out.cache, seed: agent.utf8.count) }
        try store.checkIn(out.cache, save: save)
        return out.found
    }

    @Test func tiers() throws {
        var (store, small) = try store(agents: 2)
        #expect(store.tier(of: "a") == .absent)
        #expect(try turn(store, small, "a") == .absent)
        #expect(store.tier(of: "a") == .hot)
        #expect(try turn(store, small, "a") == .hot)
        let bytes = store.pool.usedBytes
        #expect(try store.evict("a") == bytes && store.pool.usedBytes == 0)
        #expect(store.tier(of: "a") == .warm)
        #expect(try turn(store, small, "a") == .warm)
        try store.flush()
        let before = small
        let saved = store.folder.agent("a").path
        (store, small) = try self.store(agents: 2)
        try FileManager.default.copyItem(atPath: saved, toPath: store.folder.agent("a").path)
        withExtendedLifetime(before) {}
        #expect(store.tier(of: "a") == .cold)
        #expect(try turn(store, small, "a", save: .never) == .cold)
        try store.remove("a")
        #expect(store.tier(of: "a") == .absent && store.pool.usedBytes == 0)
        #expect(throws: CachesError.self) { try store.remove("a") }
    }

    /// Who goes when a third agent needs room for two.
    @Test(arguments: [
        (LeastRecentlyUsed() as any EvictionOrder, "b"), (NextUse(), "a"),
    ])
    func victims(order: any EvictionOrder, victim: String) throws {
        let (store, small) = try store(agents: 2, order: order)
        for agent in ["a", "b", "a"] { _ = try turn(store, small, agent) }
        store.announce(["c", "b", "a"])
        _ = try turn(store, small, "c")
        for agent in ["a", "b", "c"] { #expect(store.tier(of: agent) == (agent == victim ? .warm : .hot)) }
        #expect(store.statistics.evictions == 1 && store.statistics.evictedUnsaved == 0)
        #expect(store.pool.statistics.pressures >= 1 && store.pool.statistics.refusals == 0)
    }

    @Test func orders() {
        func candidate(_ bytes: Int, _ seconds: Double, last: Int = 0, next: Int? = nil) -> EvictionCandidate {
            EvictionCandidate(agent: "", bytes: bytes, lastUse: last, nextUse: next, reloadSeconds: seconds)
        }
        // A second of reloading frees 100 bytes here and 1000 there.
        #expect(CostAware().value(of: candidate(1000, 1)) < CostAware().value(of: candidate(100, 1)))
        #expect(CostAware().value(of: candidate(1000, 1)) < CostAware().value(of: candidate(1000, 2)))
        #expect(NextUse().value(of: candidate(1, 1)) < NextUse().value(of: candidate(1, 1, next: 5)))
        #expect(NextUse().value(of: candidate(1, 1, next: 5)) < NextUse().value(of: candidate(1, 1, next: 0)))
        #expect(Set(EvictionOrders.all.map { $0.name }) == ["lru", "cost", "next-use"])
    }

    /// Who is pinned stays; when everyone is, the budget is refused until somebody leaves.
    @Test func pins() throws {
        let (store, small) = try store(agents: 2)
        _ = try turn(store, small, "a")
        store.pin("a")
        _ = try turn(store, small, "b")
        _ = try turn(store, small, "c")
        #expect(store.tier(of: "a") == .hot && store.tier(of: "b") == .warm)
        var out: AgentStore.CheckOut? = try store.checkOut("c")
        #expect(throws: CachesError.self) { try store.checkOut("b") }
        #expect(store.statistics.noVictim >= 1)
        #expect(try store.evict("c") == 0)
        try store.checkIn(out!.cache, save: .never)
        out = nil
        #expect(try turn(store, small, "b") == .warm)
        #expect(store.tier(of: "c") == .warm)
        store.unpin("a")
        #expect(try turn(store, small, "c") == .warm)
        #expect(store.tier(of: "a") == .warm)
    }

    @Test func prefetch() throws {
        let (store, small) = try store(agents: 2)
        for agent in ["a", "b", "c"] { _ = try turn(store, small, agent) }
        #expect(store.tier(of: "a") == .warm)
        store.prefetch("a")
        store.prefetch("a")
        store.waitForPrefetches()
        #expect(store.tier(of: "a") == .hot && store.tier(of: "b") == .warm)
        #expect(try turn(store, small, "a") == .ready)
        #expect(try turn(store, small, "a") == .hot)
        // The budget is full of pinned agents: pages come in, and placing them is all that is left.
        var held = try ["a", "c"].map { try store.checkOut($0).cache }
        store.prefetch("b")
        store.waitForPrefetches()
        #expect(store.tier(of: "b") == .warm)
        for cache in held { try store.checkIn(cache, save: .never) }
        held = []
        #expect(try turn(store, small, "b") == .ready)
        // Prefetched, and evicted before anyone came.
        store.prefetch("a")
        store.waitForPrefetches()
        store.prefetch("nobody")
        store.waitForPrefetches()
        if store.tier(of: "a") == .hot { try store.evict("a") }
        let statistics = store.statistics
        #expect(statistics.prefetches == 4 && statistics.prefetchedHot == 2 && statistics.prefetchedPages == 1)
        #expect(statistics.ready == 2 && statistics.prefetchesWasted == 1)
        #expect(store.tier(of: "nobody") == .absent)
    }

    /// Saves run beside the agent: what is saved is what was there when the turn ended.
    @Test func savesAreSnapshots() throws {
        let (store, small) = try store(agents: 4)
        let out = try store.checkOut("a")
        for turn in 0..<20 {
            try small.append(25, to: out.cache, seed: 0)
            if turn == 10 { try store.save(out.cache) } else { try store.saveLater(out.cache) }
        }
        try store.checkIn(out.cache, save: .never)
        try store.flush()
        #expect(SmallCache.same(try small.load(store.folder.agent("a")), out.cache))
        #expect(store.statistics.saves + store.statistics.savesReplaced == 20)
    }

    /// A save that fails is told, once, and the agent goes on.
    @Test func failedSaves() throws {
        let (store, small) = try store(agents: 4)
        let path = store.folder.agent("a").path
        try Data().write(to: URL(fileURLWithPath: path))
        _ = try turn(store, small, "a", save: .later)
        let sentence = "The cache of agent 'a' was not saved, and the one saved before is whole: "
            + "cannot write \(path)/.partial-manifest.safetensors: Not a directory."
        let error = #expect(throws: CachesError.self) { try store.flush() }
        #expect("\(error!)".hasPrefix(sentence.prefix(70)) && "\(error!)".hasSuffix("Not a directory."), "\(error!)")
        #expect(store.tier(of: "a") == .hot)
        try FileManager.default.removeItem(atPath: path)
        try store.flush()
        #expect(store.folder.agent("a").exists)
    }

    /// Threads that work on their own agents in a budget for a few, with everything else going on: nobody ever sees
    /// anything but what they left.
    @Test(arguments: 0..<3)
    func manyThreads(seed: Int) throws {
        let (store, small) = try store(
            agents: 5, order: [LeastRecentlyUsed(), CostAware(), NextUse()][seed], in: SmallCache())
        let problems = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var generator = SplitMix(seed: UInt64(seed * 100 + thread))
            var expected: [String: AgentCache] = [:]
            for step in 0..<60 {
                let agent = "thread \(thread) agent \(Int.random(in: 0..<4, using: &generator))"
                do {
                    switch Int.random(in: 0..<10, using: &generator) {
                    case 0: store.prefetch(agent)
                    case 1: try store.evict(agent)
                    case 2: try store.flush()
                    case 3: store.announce([agent])
                    default:
                        let out = try store.checkOut(agent)
                        let twin = expected[agent] ?? small.cache(agent)
                        if !SmallCache.same(out.cache, twin) { throw Surprise(agent: agent, step: step) }
                        expected[agent] = twin
                        do {
                            for cache in [out.cache, twin] {
                                if cache.count > 500 { try cache.truncate(to: 0) }
                                try small.append(90, to: cache, seed: step)
                            }
                        } catch CachesError.budgetExceeded {
                            for cache in [out.cache, twin] { try cache.truncate(to: 0) }
                        }
                        try store.checkIn(
                            out.cache, save: [.now, .later, .later, .whenEvicted].randomElement(using: &generator)!)
                    }
                } catch CachesError.budgetExceeded {
                    // The others are all checked out or pinned for a moment.
                } catch { problems.withLock { $0.append("\(error)") } }
            }
        }
        try store.flush()
        #expect(problems.withLock { $0 } == [])
        #expect(store.statistics.savesFailed == 0 && store.statistics.refused == 0)
        #expect(store.pool.peakBytes <= store.pool.budgetBytes)
    }

    private struct Surprise: Error {
        let agent: String
        let step: Int
    }
}
