import Caches
import Foundation
import Tensors

/// Where a scheduler's agents are kept while they are not in memory. Used by one thread at a time, any thread.
final class SchedulerStorage: @unchecked Sendable {
    private let store: AgentStore

    init(_ store: AgentStore) { self.store = store }

    /// The agent's cache from its file, or an empty one.
    func load(_ agent: String, source: ScheduledTurn.Source) -> LoadedAgent {
        let clock = ContinuousClock()
        let start = clock.now
        let restored = store.restore(agent)
        let seconds = (clock.now - start).seconds
        return switch restored {
        case .fresh(let cache): LoadedAgent(cache: cache, source: .fresh, refusal: "", seconds: seconds)
        case .restored(let cache): LoadedAgent(cache: cache, source: source, refusal: "", seconds: seconds)
        case .refused(let cache, let reason):
            LoadedAgent(cache: cache, source: .refused, refusal: reason, seconds: seconds)
        }
    }

    /// Writes a snapshot.
    /// - Returns: what went wrong, or nil.
    func save(_ snapshot: AgentCache) -> String? {
        do {
            try store.save(snapshot)
            return nil
        } catch { return "\(error)" }
    }

    /// Bytes that the agent's cache will take, about; nil when there is none.
    func fileBytes(of agent: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: store.path(of: agent)))?[.size] as? Int
    }
}
