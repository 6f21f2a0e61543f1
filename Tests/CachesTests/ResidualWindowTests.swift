import CKernels
import Caches
import Schemes
import Tensors
import Testing

/// Rows that wait in 16-bit floats: when they are encoded, and what going back, failing and saving do to them.
@Suite struct ResidualWindowTests {
    /// Rows as a step stores them: the same for keys and values of all heads.
    private static func row(_ position: Int, layer: Int) -> [Float] {
        (0..<SmallCache.width).map { SmallCache.element(position: position, layer: layer, column: $0) / 7 }
    }

    private static func append(_ count: Int, to cache: AgentCache, commits: Bool = true) throws {
        try cache.reserve(count)
        for (index, layer) in cache.layout.layers.enumerated() {
            let rows = (0..<count).flatMap { row(cache.count + $0, layer: index) }
            for head in 0..<layer.spec.kvHeads {
                cache.store(
                    layer: index, head: head, keys: rows, keyStride: SmallCache.width, values: rows,
                    valueStride: SmallCache.width, count: count, isa: kl_isa_best())
            }
        }
        if commits { cache.commit((0..<count).map { Int32(cache.count + $0) }) }
    }

    private static func decoded(_ cache: AgentCache, _ kind: RowKind, _ positions: Range<Int>) -> [Float] {
        let layer = cache.layout.layers[0]
        let layout = kind == .keys ? layer.keys : layer.values!
        return positions.flatMap { position in
            let base = cache.block(layer: 0, holding: position)
            let segment = kind == .keys ? layer.keySegment(head: 1, in: base) : layer.valueSegment(head: 1, in: base)
            var row = [Float](repeating: 0, count: layout.width)
            layout.scheme.decode(segment, from: position % blockTokens, count: 1, into: &row, isa: kl_isa_best())
            return row
        }
    }

    /// Keys are encoded when there are 128 of them, values when 128 newer ones are there; until then they are what was
    /// stored, rounded to 16 bits. Encoded rows are what the scheme makes of the rounded rows.
    @Test func rowsAreEncodedAtThePublishedMoment() throws {
        let small = try SmallCache(scheme: "kivi-2", window: nil)
        let cache = small.cache()
        let all = (0..<600).flatMap { Self.row($0, layer: 0) }
        let halves = all.map { Float(Float16($0)) }
        let layouts = try RowKind.allCases.map { try SegmentLayout(scheme: KIVIScheme(bits: 2, kind: $0), width: 64) }
        for step in [1, 126, 1, 1, 71, 56, 1, 200, 1, 1, 130] {
            let before = cache.count
            try Self.append(step, to: cache)
            for (kind, layout) in zip(RowKind.allCases, layouts) {
                let encoded = layout.encoded(at: cache.count)
                #expect(encoded == (kind == .keys ? cache.count / 128 * 128 : max(0, cache.count - 128)))
                var waiting = [Float](repeating: 0, count: (cache.count - encoded) * 64)
                cache.readWaiting(
                    kind, layer: 0, head: 1, positions: encoded..<cache.count, into: &waiting, isa: kl_isa_best())
                #expect(waiting == Array(halves[(encoded * 64)..<(cache.count * 64)]))
                // What this step encoded.
                let new = layout.encoded(at: before)..<encoded
                let memory = try AlignedBuffer(byteCount: layout.byteCount)
                for start in stride(from: new.lowerBound, to: new.upperBound, by: layout.tileTokens) {
                    var expected = [Float](repeating: 0, count: layout.tileTokens * 64)
                    halves.withUnsafeBufferPointer {
                        layout.scheme.encode(
                            $0.baseAddress! + start * 64, count: layout.tileTokens, stride: 64, at: 0,
                            into: layout.segment(at: memory.pointer), isa: KL_SCALAR)
                    }
                    layout.scheme.decode(
                        layout.segment(at: memory.pointer), from: 0, count: layout.tileTokens, into: &expected, isa: KL_SCALAR)
                    #expect(Self.decoded(cache, kind, start..<(start + layout.tileTokens)) == expected)
                }
            }
        }
        #expect(cache.count == 589)
    }

    /// Blocks, rings of 129 keys and 130 values, and nothing else once a step is committed.
    @Test func bytesAreExact() throws {
        let small = try SmallCache(scheme: "kivi-2", window: nil)
        let cache = small.cache()
        #expect(cache.storedBytes == 0 && small.layout.agentBytes(tokens: 0) == 0)
        for (step, blocks) in [(1, 1), (255, 1), (1, 2), (500, 3)] {
            try Self.append(step, to: cache)
            // 4 layers of 2 heads; rows of 64 elements in 3 bits, or in 16.
            let bytes = 4 * 2 * (blocks * 256 * 2 * 64 * 3 / 8 + (129 + 130) * 64 * 2)
            #expect(cache.storedBytes == bytes && cache.pool.usedBytes == bytes)
            #expect(cache.layout.agentBytes(tokens: cache.count) == bytes)
        }
        #expect(cache.layout.payloadBytes(tokens: 300) == 4 * 2 * (64 * (256 + 172) * 3 / 8 + 64 * (44 + 128) * 2))
        try cache.truncate(to: 0)
        #expect(cache.storedBytes == 0 && cache.pool.usedBytes == 0)
        #expect(cache.layout.agents(inBudget: cache.layout.agentBytes(tokens: 300) - 1, tokens: 300) == 0)
    }

    /// However rows come, the same is stored.
    @Test(arguments: ["kivi-4", "k=kivi-2,v=q8_0", "layers 0-1: fp16; rest: kivi-2", "k=zipcache,v=mixed(random,40,q8_0,q4_0)"], [nil, 1, 100, 300])
    func stepsDoNotMatter(scheme: String, window: Int?) throws {
        let small = try SmallCache(scheme: scheme, window: window)
        let whole = small.cache()
        for _ in 0..<2 { try Self.append(350, to: whole) }
        for steps in [[1], [128], [127, 2], [500, 1]] {
            let cache = small.cache()
            var index = 0
            while cache.count < 700 {
                try Self.append(min(steps[index % steps.count], 700 - cache.count), to: cache)
                index += 1
            }
            #expect(SmallCache.same(cache, whole), "\(steps)")
            #expect(cache.truncatable == whole.truncatable)
        }
    }

    /// Going back one token, or further while no row was encoded, is as if the tokens had never been there. More is refused.
    @Test(arguments: [1, 2, 128, 129, 130, 257, 300, 384, 513])
    func goingBack(count: Int) throws {
        let small = try SmallCache(scheme: "kivi-2", window: nil)
        for steps in [[count], [count - 1, 1]] {
            let cache = small.cache()
            for step in steps where step > 0 { try Self.append(step, to: cache) }
            #expect(cache.truncatable == (count <= 128 ? 0 : count - 1)...count)
            if count > 128 {
                let refused = count - 2
                #expect(throws: CachesError.alreadyEncoded(agent: "anna", to: refused, kept: count - 1..<count)) {
                    try cache.truncate(to: refused)
                }
            }
            let back = cache.truncatable.lowerBound
            try cache.truncate(to: back)
            let twin = small.cache()
            if back > 0 { try Self.append(back, to: twin) }
            #expect(SmallCache.same(cache, twin))
            for step in [1, 140, 1] {
                try Self.append(step, to: cache)
                try Self.append(step, to: twin)
                #expect(SmallCache.same(cache, twin), "\(count) back to \(back)")
            }
        }
    }

    /// A step that is not committed leaves the cache as it was, however often.
    @Test(arguments: [127, 128, 300])
    func failedSteps(count: Int) throws {
        let small = try SmallCache(scheme: "kivi-2", window: nil)
        let (cache, twin) = (small.cache(), small.cache())
        for cache in [cache, twin] { try Self.append(count, to: cache) }
        for step in [1, 200, 1, 512] { try Self.append(step, to: cache, commits: false) }
        #expect(SmallCache.same(cache, twin))
        let snapshot = try cache.snapshot()
        #expect(snapshot.tokens == twin.tokens)
        cache.releaseUnused()
        #expect(cache.storedBytes == twin.storedBytes)
        try cache.truncate(to: cache.truncatable.lowerBound)
        try twin.truncate(to: twin.truncatable.lowerBound)
        for step in [1, 1, 130] {
            for cache in [cache, twin] { try Self.append(step, to: cache) }
            #expect(SmallCache.same(cache, twin))
        }
    }

    /// A full budget refuses a step whole.
    @Test func aFullBudgetChangesNothing() throws {
        let bytes = try SmallCache(scheme: "kivi-2", window: nil).layout.agentBytes(tokens: 200)
        let small = try SmallCache(scheme: "kivi-2", window: nil, budget: bytes)
        let cache = small.cache()
        #expect(throws: CachesError.self) { try Self.append(200, to: cache) }
        #expect(cache.storedBytes == 0 && small.pool.usedBytes == 0)
        for _ in 0..<200 { try Self.append(1, to: cache) }
        #expect(small.pool.usedBytes == bytes)
    }
}
