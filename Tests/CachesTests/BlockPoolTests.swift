import Caches
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct BlockPoolTests {
    /// Latent blocks of 82,944 bytes are no whole number of pages; the pool loses less than 2 % to that.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/smaps"), "needs /proc"))
    func overhead() throws {
        let spec = ModelCacheSpec(
            layers: Array(repeating: LayerCacheSpec(kvHeads: 1, keyWidth: 576, valueWidth: 0), count: 27), mlaForm: .latent)
        let layout = try CacheLayout(spec: spec, scheme: CacheScheme(expression: "affine-q4-g64"))
        #expect(layout.layers[0].blockBytes == 82_944)
        let pool = BlockPool(budgetBytes: 1 << 30)
        let agents = try (0..<4).map { number in
            let cache = AgentCache(agent: "\(number)", layout: layout, pool: pool)
            try cache.reserve(4096)
            for layer in layout.layers.indices {
                for position in stride(from: 0, to: 4096, by: blockTokens) {
                    memset(cache.block(layer: layer, holding: position), 1, layout.layers[layer].blockBytes)
                }
            }
            return cache
        }
        // The resident memory of the mappings that the blocks lie in.
        let blocks = agents.flatMap { cache in
            layout.layers.indices.flatMap { layer in
                stride(from: 0, to: 4096, by: blockTokens).map { UInt(bitPattern: cache.block(layer: layer, holding: $0)) }
            }
        }
        let resident = try Self.mappings().filter { mapping in blocks.contains { mapping.range.contains($0) } }
            .reduce(0) { $0 + $1.resident }
        #expect(pool.usedBytes == 4 * 27 * 16 * 82_944)
        #expect(Double(resident) < 1.02 * Double(pool.usedBytes) + 4 * 1024 * 1024, "\(resident) of \(pool.usedBytes)")
        withExtendedLifetime(agents) {}
    }

    /// Memory that the budget needs is given back, though other blocks of its slab are in use.
    @Test func spareMemoryMakesRoom() throws {
        func layout(_ width: Int) throws -> CacheLayout {
            try CacheLayout(
                spec: ModelCacheSpec(layers: [LayerCacheSpec(kvHeads: 1, keyWidth: width, valueWidth: width)]),
                scheme: CacheScheme(expression: "fp32"))
        }
        let (narrow, wide) = (try layout(64), try layout(640))
        let pool = BlockPool(budgetBytes: wide.agentBytes(tokens: 512) + narrow.agentBytes(tokens: 256))
        var agents = try (0..<20).map { number in
            let cache = AgentCache(agent: "\(number)", layout: narrow, pool: pool)
            try cache.reserve(256)
            return cache
        }
        agents.removeLast(19)
        let cache = AgentCache(agent: "wide", layout: wide, pool: pool)
        try cache.reserve(512)
        #expect(pool.usedBytes == pool.budgetBytes)
        #expect(throws: CachesError.self) { try agents[0].reserve(257) }
        #expect(pool.statistics.refusals == 1)
        withExtendedLifetime(cache) {}
        pool.trim()
    }

    /// A pool without a limit takes blocks back and hands them out again.
    @Test func noLimit() throws {
        let pool = BlockPool(budgetBytes: .max)
        let small = try SmallCache(window: 100)
        let cache = AgentCache(agent: "a", layout: small.layout, pool: pool)
        try small.append(3000, to: cache)
        #expect(pool.statistics.recycled > 0 && pool.usedBytes == cache.storedBytes)
    }

    /// Mappings of this process, and how many of their bytes are resident.
    private static func mappings() throws -> [(range: Range<UInt>, resident: Int)] {
        var mappings: [(range: Range<UInt>, resident: Int)] = []
        for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 {
                mappings.append((ends[0]..<ends[1], 0))
            } else if words[0] == "Rss:" {
                mappings[mappings.count - 1].resident = Int(words[1])! * 1024
            }
        }
        return mappings
    }
}
