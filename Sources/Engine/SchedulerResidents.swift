import Caches
import Schemes

/// The agents whose caches are in memory, and who must go when room is needed.
struct SchedulerResidents {
    final class Resident {
        let cache: AgentCache
        /// The number of the last change, of the one that was saved last, and of the one that is being saved.
        fileprivate(set) var version = 0
        var savedVersion = 0
        var savingVersion: Int?
        /// Does a running request use it?
        var isBusy = false
        var lastUse = 0
        /// How it came here; `hot` from its first turn on.
        var arrival: LoadedAgent?

        init(_ cache: AgentCache) { self.cache = cache }

        var isSaved: Bool { version == savedVersion }
        var isSaving: Bool { savingVersion != nil }
    }

    private(set) var all: [String: Resident] = [:]
    private var clock = 0
    /// Changes of all agents: no two have the same number.
    private var changes = 0

    subscript(agent: String) -> Resident? { all[agent] }

    @discardableResult
    mutating func add(_ cache: AgentCache, arrival: LoadedAgent?) -> Resident {
        precondition(all[cache.agent] == nil, "agent '\(cache.agent)' is in memory already")
        let resident = Resident(cache)
        resident.arrival = arrival
        all[cache.agent] = resident
        touch(resident)
        return resident
    }

    mutating func remove(_ agent: String) { all[agent] = nil }

    /// The cache of `resident` is about to change.
    mutating func change(_ resident: Resident) {
        changes += 1
        resident.version = changes
    }

    mutating func touch(_ resident: Resident) {
        clock += 1
        resident.lastUse = clock
    }

    /// Who can go, the first to go first: agents with no turn to come before those with one, the one whose turn is
    /// furthest first, the least recently used first.
    /// - Parameters:
    ///   - upcoming: agents in the order of their next turns.
    ///   - unsaved: may those go that would lose what they have?
    func evictable(upcoming: [String], unsaved: Bool) -> [String] {
        let order = Dictionary(upcoming.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return all.filter { !$1.isBusy && !$1.isSaving && ($1.isSaved || unsaved) && $1.cache.count > 0 }
            .sorted { a, b in
                let (nextA, nextB) = (order[a.key] ?? .max, order[b.key] ?? .max)
                return nextA != nextB ? nextA > nextB : a.value.lastUse < b.value.lastUse
            }.map(\.key)
    }
}

extension CacheLayout {
    /// The most bytes that a cache takes on its way to `tokens` tokens in steps of at most `step` tokens. A block of
    /// every layer is counted for the copies that writers make of shared and mapped blocks, and of a layer with a residual
    /// window one more.
    func peakBytes(tokens: Int, step: Int) -> Int {
        layers.reduce(0) { bytes, layer in
            let end = layer.heldBlocks(at: tokens).upperBound
            let blocks = layer.keptWindow.map { min(end, ($0 + step) / blockTokens + 2) } ?? end
            let copies = layer.residualBytes > 0 ? 2 : 1
            return bytes + (blocks + copies) * layer.blockBytes + layer.residualBytes + layer.stagingBytes(rows: step)
        }
    }
}
