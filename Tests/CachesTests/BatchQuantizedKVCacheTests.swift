import CKernels
import Caches
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct BatchQuantizedKVCacheTests {
    private let layout: CacheLayout
    private let pool: BlockPool
    private var block: Int { layout.layers[0].blockBytes }

    init() throws {
        let spec = ModelCacheSpec(layers: [
            LayerCacheSpec(kvHeads: 2, keyWidth: 64, valueWidth: 64),
            LayerCacheSpec(kvHeads: 2, keyWidth: 64, valueWidth: 64),
        ])
        layout = try CacheLayout(spec: spec, scheme: CacheScheme(expression: "fp32"))
        pool = BlockPool(budgetBytes: 10 * layout.layers[0].blockBytes)
    }

    private func cache(_ agent: String) -> AgentCache { AgentCache(agent: agent, layout: layout, pool: pool) }

    /// Appends `counts[row]` rows to every agent; every element of a row is 1000 · (index of the agent in the test) + position.
    private func append(_ counts: [Int], to batch: BatchQuantizedKVCache, marks: [Float]) throws {
        try batch.reserve(counts)
        for (row, count) in counts.enumerated() {
            let start = Float(batch.lengths[row]) + 1000 * marks[row]
            let rows = (0..<count).flatMap { [Float](repeating: start + Float($0), count: 64) }
            for layer in 0..<2 {
                for head in 0..<2 {
                    batch.update(
                        row: row, layer: layer, head: head, keys: rows, keyStride: 64, values: rows, valueStride: 64,
                        count: count, isa: KL_SCALAR)
                }
            }
        }
        batch.commit(counts.map { Array(repeating: 0, count: $0)[...] })
    }

    private func stored(_ batch: BatchQuantizedKVCache, row: Int) -> [Float] {
        batch.fetch(row: row, layer: 1, head: 1, upTo: batch.lengths[row]).flatMap { stretch in
            var rows = [Float](repeating: 0, count: stretch.count * 64)
            layout.layers[1].values!.scheme.decode(stretch.values!, from: 0, count: stretch.count, into: &rows, isa: KL_SCALAR)
            return (0..<stretch.count).map { rows[$0 * 64 + 5] }
        }
    }

    /// Agents of different lengths join, grow together and leave with what is theirs; nobody is padded.
    @Test func agentsComeAndGo() throws {
        let (anna, ben, cleo) = (cache("anna"), cache("ben"), cache("cleo"))
        var batch = BatchQuantizedKVCache([anna])
        try append([300], to: batch, marks: [1])
        #expect(batch.merge(ben) == 1)
        try append([1, 3], to: batch, marks: [1, 2])
        batch.merge(cleo)
        try append([1, 1, 200], to: batch, marks: [1, 2, 3])
        #expect(batch.lengths == [302, 4, 200])
        #expect(batch.storedBytes == 8 * block && pool.usedBytes == 8 * block)
        #expect(batch.paddedBytes == 12 * block)

        #expect(batch.extract("ben") === ben)
        #expect(batch.extract("ben") == nil)
        try append([2, 1], to: batch, marks: [1, 3])
        #expect(batch.rows.map(\.agent) == ["anna", "cleo"])
        #expect(stored(batch, row: 0) == (0..<304).map { 1000 + Float($0) })
        #expect(stored(batch, row: 1) == (0..<201).map { 3000 + Float($0) })
        #expect(stored(BatchQuantizedKVCache([ben]), row: 0) == (0..<4).map { 2000 + Float($0) })
    }

    /// When one agent finds no room, none keeps what it reserved.
    @Test func reservesAllOrNothing() throws {
        let batch = BatchQuantizedKVCache([cache("anna"), cache("ben")])
        try append([256, 256], to: batch, marks: [1, 2])
        #expect(pool.usedBytes == 4 * block)
        #expect(throws: CachesError.budgetExceeded(needed: block, used: 10 * block, budget: 10 * block)) {
            try batch.reserve([256, 600])
        }
        #expect(pool.usedBytes == 4 * block)
        try append([256, 512], to: batch, marks: [1, 2])
        #expect(batch.lengths == [512, 768])
    }

    /// A snapshot stays as it was while the cache grows and goes back, and costs one block of each layer at most.
    @Test func snapshotsStay() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let anna = cache("anna")
        let batch = BatchQuantizedKVCache([anna])
        try append([300], to: batch, marks: [1])
        let snapshot = try anna.snapshot()
        #expect(pool.usedBytes == 4 * block)
        try append([10], to: batch, marks: [1])
        #expect(pool.usedBytes == 4 * block)
        try anna.truncate(to: 200)
        try append([20], to: batch, marks: [7])
        let place = try CacheFolder(path: folder).agent("anna")
        try place.save(snapshot, identity: CacheIdentity(model: "m", weights: "w", rope: "r"))
        let before = BatchQuantizedKVCache([
            try place.load(identity: nil, layout: anna.layout, pool: BlockPool(budgetBytes: .max), workers: nil).cache
        ])
        #expect(before.lengths == [300])
        #expect(stored(before, row: 0) == (0..<300).map { 1000 + Float($0) })
        let old = (0..<200).map { 1000 + Float($0) }
        let new = (200..<220).map { 7000 + Float($0) }
        #expect(stored(batch, row: 0) == old + new)
    }
}
