import Caches
import Foundation
import Models
import Tensors

/// Agents' caches in a folder. An agent's name is data: the file is called after a hash of it, so that any name works
/// and none leaves the folder.
public struct AgentStore {
    private let folder: String
    private let model: any LanguageModel
    private let layout: CacheLayout
    private let pool: BlockPool
    private let workers: WorkerPool

    /// Makes the folder, for its owner only, where it is not there.
    /// - Throws: ``EngineError/cannotUseFolder(folder:reason:)``.
    public init(folder: String, model: any LanguageModel, layout: CacheLayout, pool: BlockPool, workers: WorkerPool) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw EngineError.cannotUseFolder(folder: folder, reason: "there is none, and none can be made there")
        }
        self.folder = folder
        self.model = model
        self.layout = layout
        self.pool = pool
        self.workers = workers
    }

    /// What came of looking for an agent's cache.
    public enum Restored {
        /// There was no file.
        case fresh(AgentCache)
        case restored(AgentCache)
        /// There was one that cannot be used, and why; the agent starts afresh.
        case refused(AgentCache, reason: String)

        public var cache: AgentCache {
            switch self {
            case .fresh(let cache), .restored(let cache), .refused(let cache, _): cache
            }
        }
    }

    /// The agent's cache, from its file where there is one that matches the model and the layout and is whole.
    public func restore(_ agent: String) -> Restored {
        let empty = AgentCache(agent: agent, layout: layout, pool: pool)
        let path = path(of: agent)
        guard FileManager.default.fileExists(atPath: path) else { return .fresh(empty) }
        do {
            return .restored(
                try CacheFile.load(
                    path, agent: agent, model: model.fingerprint, layout: layout, pool: pool, workers: workers
                ).cache)
        } catch { return .refused(empty, reason: "\(error)") }
    }

    /// Writes the agent's cache; the file that was there stays whole until the new one is.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``.
    public func save(_ cache: AgentCache) throws {
        try CacheFile.save(cache, model: model.fingerprint, to: path(of: cache.agent))
    }

    /// The file of an agent.
    public func path(of agent: String) -> String { "\(folder)/\(digest(agent)).safetensors" }
}
