import Caches
import Engine
import Models

/// What filling a block pool came to: agents were added until one was refused, and that one was taken back whole. Every
/// agent stores real encoded rows in every layer, head and token.
struct FilledPool {
    private(set) var agents = 0
    /// Bytes in use by the full pool.
    let poolBytes: Int
    /// Growth of the process's resident memory.
    let residentGrowth: Int
    let seconds: Double

    /// - Throws: what `SyntheticContext` throws, other than that the budget is exceeded.
    init(budgetBytes: Int, layout: CacheLayout, tokens: Int, seed: UInt64, execution: Execution) throws {
        let pool = BlockPool(budgetBytes: budgetBytes)
        let before = ProcessFacts.residentBytes() ?? 0
        let clock = ContinuousClock()
        let start = clock.now
        let context = try SyntheticContext(layout: layout, seed: seed, execution: execution)
        var caches: [AgentCache] = []
        while true {
            let cache = AgentCache(agent: "agent \(caches.count)", layout: layout, pool: pool)
            do {
                try context.fill(cache, to: tokens)
            } catch CachesError.budgetExceeded {
                break
            }
            caches.append(cache)
        }
        agents = caches.count
        poolBytes = pool.usedBytes
        // What the refused agent had is the pool's to reuse, not what the others take.
        pool.trim()
        residentGrowth = (ProcessFacts.residentBytes() ?? 0) - before
        seconds = (clock.now - start).seconds
    }
}
