import CKernels
import Caches
import Schemes
import Tensors
import Testing

@Suite struct AgentCacheTests {
    private static func cache(
        window: Int? = nil, scheme: String = "affine-q4-g64", budget: Int = 64 << 20, policy: WindowPolicy = .window
    ) throws -> AgentCache {
        let spec = ModelCacheSpec(layers: [
            LayerCacheSpec(kvHeads: 2, keyWidth: 64, valueWidth: 128),
            LayerCacheSpec(kvHeads: 2, keyWidth: 64, valueWidth: 128, window: window),
        ])
        let layout = try CacheLayout(spec: spec, scheme: CacheScheme(expression: scheme), windowPolicy: policy)
        return AgentCache(agent: "a", layout: layout, pool: BlockPool(budgetBytes: budget))
    }

    /// Stores rows whose every element is the token's position.
    private static func append(_ count: Int, to cache: AgentCache) throws {
        try cache.reserve(count)
        var keys = [Float](repeating: 0, count: count * 64)
        var values = [Float](repeating: 0, count: count * 128)
        for row in 0..<count {
            for column in 0..<64 { keys[row * 64 + column] = Float(cache.count + row) }
            for column in 0..<128 { values[row * 128 + column] = -Float(cache.count + row) }
        }
        for layer in cache.layout.spec.layers.indices {
            for head in 0..<2 {
                cache.store(
                    layer: layer, head: head, keys: keys, keyStride: 64, values: values, valueStride: 128, count: count,
                    isa: KL_SCALAR)
            }
        }
        cache.commit((0..<count).map { Int32(cache.count + $0) })
    }

    private static func value(_ cache: AgentCache, layer: Int, position: Int) -> Float {
        let layout = cache.layout.layers[layer]
        let segment = layout.valueSegment(head: 1, in: cache.block(layer: layer, holding: position))
        var row = [Float](repeating: 0, count: 128)
        layout.values!.scheme.decode(segment, from: position % 256, count: 1, into: &row, isa: KL_SCALAR)
        return row[77]
    }

    @Test func rowsLieWhereTheyWerePut() throws {
        let cache = try Self.cache(scheme: "fp32")
        for count in [1, 255, 300, 7] { try Self.append(count, to: cache) }
        #expect(cache.count == 563)
        for position in [0, 1, 255, 256, 300, 562] {
            #expect(Self.value(cache, layer: 1, position: position) == -Float(position))
        }
        // Keys are 64 wide and values 128, 4 bytes each, two heads, two layers, three blocks of 256.
        #expect(cache.storedBytes == 3 * 256 * 2 * 2 * (64 + 128) * 4)
        #expect(cache.storedBytes == cache.layout.agentBytes(tokens: 563))
        #expect(cache.pool.usedBytes == cache.storedBytes)
    }

    /// Each layer takes the bytes of its own scheme.
    @Test func layersHaveTheirOwnSchemes() throws {
        let cache = try Self.cache(scheme: "layers 1: k=q8_0,v=q4_0; rest: fp32")
        try Self.append(300, to: cache)
        #expect(cache.storedBytes == 2 * 256 * 2 * ((64 + 128) * 4 + 2 * 34 + 4 * 18))
        #expect(cache.storedBytes == cache.layout.agentBytes(tokens: 300))
        #expect(Self.value(cache, layer: 0, position: 299) == -299)
        #expect(abs(Self.value(cache, layer: 1, position: 299) + 299) <= 0.2)
        #expect(throws: SchemeError.self) { try Self.cache(scheme: "layers 2: fp16; rest: fp32") }
    }

    @Test func aFullBudgetChangesNothing() throws {
        let block = 256 * 2 * (64 + 128) * 4
        let cache = try Self.cache(scheme: "fp32", budget: 3 * block)
        try Self.append(256, to: cache)
        #expect(throws: CachesError.budgetExceeded(needed: block, used: 3 * block, budget: 3 * block)) {
            try Self.append(1, to: cache)
        }
        #expect(cache.count == 256)
        #expect(cache.pool.usedBytes == 2 * block)
        try cache.truncate(to: 200)
        try Self.append(56, to: cache)
        #expect(cache.count == 256)
    }

    @Test func windowedLayersLetGo() throws {
        let cache = try Self.cache(window: 300, scheme: "fp32")
        for _ in 0..<20 { try Self.append(100, to: cache) }
        #expect(cache.firstPosition(layer: 0) == 0)
        // The next query sees 1701...2000; one more is kept, and blocks are whole.
        #expect(cache.firstPosition(layer: 1) == 1536)
        #expect(Self.value(cache, layer: 1, position: 1701) == -1701)
        #expect(cache.storedBytes == cache.layout.agentBytes(tokens: 2000))
        #expect(cache.truncatable == 1835...2000)
        try cache.truncate(to: 1999)
        #expect(throws: CachesError.cannotTruncate(agent: "a", to: 1000, kept: 1835..<1999)) {
            try cache.truncate(to: 1000)
        }
        try cache.truncate(to: 0)
        #expect(cache.storedBytes == 0 && cache.pool.usedBytes == 0)
    }

    @Test func theFullPolicyKeepsAll() throws {
        let cache = try Self.cache(window: 300, policy: .full)
        try Self.append(1000, to: cache)
        #expect(cache.firstPosition(layer: 1) == 0)
        #expect(cache.truncatable == 0...1000)
    }

    /// Memory that an agent gives back comes to the next one without a trace.
    @Test func recycledBlocksAreZero() throws {
        let pool = BlockPool(budgetBytes: 64 << 20)
        let spec = ModelCacheSpec(layers: [LayerCacheSpec(kvHeads: 2, keyWidth: 64, valueWidth: 128)])
        let layout = try CacheLayout(spec: spec, scheme: CacheScheme(expression: "fp32"))
        var first: AgentCache? = AgentCache(agent: "first", layout: layout, pool: pool)
        try Self.append(256, to: first!)
        first = nil
        #expect(pool.usedBytes == 0)
        let second = AgentCache(agent: "second", layout: layout, pool: pool)
        try second.reserve(1)
        let bytes = UnsafeRawBufferPointer(
            start: second.block(layer: 0, holding: 0), count: layout.layers[0].blockBytes)
        #expect(bytes.allSatisfy { $0 == 0 })
        #expect(pool.usedBytes == layout.layers[0].blockBytes)
    }
}
