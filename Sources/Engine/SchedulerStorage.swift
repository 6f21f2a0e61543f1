import Caches
import Tensors

/// Where a scheduler's agents are kept while they are not in memory. Used by one thread at a time, any thread.
final class SchedulerStorage: Sendable {
    private let files: AgentFiles

    init(_ files: AgentFiles) { self.files = files }

    /// The agent's cache from its files, or an empty one.
    func load(_ agent: String, source: ScheduledTurn.Source) -> LoadedAgent {
        let clock = ContinuousClock()
        let start = clock.now
        let restored = files.restore(agent)
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
    func save(_ snapshot: CacheSnapshot) -> String? {
        do {
            try files.save(snapshot)
            return nil
        } catch { return "\(error)" }
    }

    /// Bytes that the agent's cache will take, about; nil when there is none.
    func fileBytes(of agent: String) -> Int? {
        let place = files.folder.agent(agent)
        return place.exists ? place.diskBytes : nil
    }
}
