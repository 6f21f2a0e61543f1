import CKernels
import Caches
import Models
import Schemes
import Tensors

/// Fills caches with encoded random rows, as fast as they can be stored: for measurements that need a context of some
/// length and not its meaning.
public struct SyntheticContext {
    private let rows: AlignedBuffer
    private let execution: Execution

    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public init(layout: CacheLayout, seed: UInt64, execution: Execution) throws {
        let width = layout.spec.layers.map { max($0.keyWidth, $0.valueWidth) }.max() ?? 1
        let count = blockTokens * width
        rows = try AlignedBuffer(count: count, of: Float.self)
        var bytes = [UInt8](repeating: 0, count: 2 * count)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        for index in 0..<count {
            rows.bound(to: Float.self)[index] = Float(Int(bytes[2 * index]) + Int(bytes[2 * index + 1]) - 255) / 128
        }
        self.execution = execution
    }

    /// Appends rows to every layer and head until the cache holds `tokens` tokens, all of them token 0.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``; whole blocks stored until then stay.
    public func fill(_ cache: AgentCache, to tokens: Int) throws {
        let layers = cache.layout.spec.layers
        let places = layers.indices.flatMap { layer in (0..<layers[layer].kvHeads).map { (layer: layer, head: $0) } }
        let values = rows.bound(to: Float.self)
        while cache.count < tokens {
            let count = min(blockTokens - cache.count % blockTokens, tokens - cache.count)
            try cache.reserve(count)
            execution.workers.run(places.count) { index, _ in
                let (layer, head) = places[index]
                cache.store(
                    layer: layer, head: head, keys: values, keyStride: layers[layer].keyWidth, values: values,
                    valueStride: layers[layer].valueWidth, count: count, isa: execution.isa)
            }
            cache.commit(repeatElement(0, count: count))
        }
    }
}
