import Caches
import Engine
import Foundation
import Tensors

/// Takes caches out of memory and brings them back: as the same agent's, or as another's.
struct CacheReload {
    /// A folder of its own; what is written there is gone afterwards.
    private let folder: String
    private let identity: CacheIdentity
    private let layout: CacheLayout
    private let workers: WorkerPool

    init(folder: String, engine: Engine, layout: CacheLayout) {
        self.folder = folder
        identity = CacheIdentity(model: engine.model)
        self.layout = layout
        workers = engine.execution.workers
    }

    /// The agent's cache as it is after it was saved, evicted and loaded, and whether saving that once more wrote the same
    /// bytes.
    /// - Throws: `CachesError` for a cache that cannot be saved or loaded.
    func restored(_ cache: AgentCache, in pool: BlockPool) throws -> (cache: AgentCache, resavedEqual: Bool) {
        defer { clear() }
        let places = try ["first", "again"].map { try CacheFolder(path: "\(folder)/\($0)").agent(cache.agent) }
        _ = try places[0].save(cache.snapshot(), identity: identity)
        let loaded = try places[0].load(identity: identity, layout: layout, pool: pool, workers: workers).cache
        _ = try places[1].save(loaded.snapshot(), identity: identity)
        let files = places.map(\.files)
        let same = zip(files[0], files[1]).allSatisfy { first, second in
            URL(fileURLWithPath: first).lastPathComponent == URL(fileURLWithPath: second).lastPathComponent
                && FileManager.default.contentsEqual(atPath: first, andPath: second)
        }
        return (loaded, same && files[0].count == files[1].count)
    }

    /// The cache in the hands of another agent: saved, exported to one file, imported under the other's name and loaded.
    /// - Throws: as ``restored(_:in:)``, and what an export or import throws.
    func injected(_ cache: AgentCache, into agent: String, in pool: BlockPool) throws -> AgentCache {
        defer { clear() }
        let card = "\(folder)/card.safetensors"
        let giver = try CacheFolder(path: "\(folder)/giver").agent(cache.agent)
        _ = try giver.save(cache.snapshot(), identity: identity)
        try giver.open(identity: identity, layout: layout).export(.safetensors, to: card, workers: workers)
        let taker = try CacheFolder(path: "\(folder)/taker")
        try CacheImport(path: card).save(in: taker, as: agent)
        return try taker.agent(agent).load(identity: identity, layout: layout, pool: pool, workers: workers).cache
    }

    private func clear() { try? FileManager.default.removeItem(atPath: folder) }
}
