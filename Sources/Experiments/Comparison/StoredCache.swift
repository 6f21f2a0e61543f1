import Caches
import Engine
import Foundation
import Models
import Schemes

/// What a scheme really stores of a text: read from the cache that held it, and from the file it was saved to.
struct StoredCache {
    /// The scheme that the file names.
    let scheme: String
    let tokens: Int
    /// Bytes of the cache in memory.
    let bytes: Int
    /// Elements of keys and values that these bytes hold.
    let elements: Int
    /// Bytes of all files of the saved cache, indexes and checksums among them.
    let fileBytes: Int

    /// Runs `tokens` through an empty cache, saves it and reads the file again.
    /// - Throws: what ``Engine/prefill(_:_:chunk:)`` throws, or a `CachesError`.
    init(_ tokens: [Int32], engine: Engine, layout: CacheLayout, folder: String) throws {
        let pool = BlockPool(budgetBytes: .max)
        let cache = AgentCache(agent: "schemes", layout: layout, pool: pool)
        try engine.prefill(cache, tokens)
        self.tokens = cache.count
        bytes = cache.storedBytes
        elements = layout.layers.reduce(0) { sum, layer in
            let rows = layer.heldBlocks(at: cache.count).count * blockTokens
            return sum + rows * layer.spec.kvHeads * (layer.spec.keyWidth + layer.spec.valueWidth)
        }
        let path = folder + "/schemes"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let place = try CacheFolder(path: path)
        let agent = place.agent(cache.agent)
        _ = try agent.save(cache.snapshot(), identity: CacheIdentity(model: engine.model))
        scheme = try place.list().agents.map(\.layout.scheme.description).first ?? ""
        fileBytes = agent.files.reduce(0) { sum, file in
            sum + (((try? FileManager.default.attributesOfItem(atPath: file)[.size]) as? Int) ?? 0)
        }
    }
}
