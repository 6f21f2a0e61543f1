import CKernels
import Caches
import Foundation
import Schemes
import Tensors

/// A cache with a few small layers, two of them windowed, and a folder that goes with it.
final class SmallCache: Sendable {
    let layout: CacheLayout
    let pool: BlockPool
    let folder: String
    let identity = CacheIdentity(model: "small", weights: "w1", tokenizer: "t1", rope: "r1")
    static let width = 64

    convenience init(scheme: String = "affine-q4-g64", window: Int? = 300, budget: Int = 256 << 20) throws {
        try self.init(CacheScheme(expression: scheme), window: window, budget: budget)
    }

    init(_ scheme: CacheScheme, window: Int?, budget: Int = 256 << 20) throws {
        let layers = [nil, window, nil, window].map {
            LayerCacheSpec(kvHeads: 2, keyWidth: Self.width, valueWidth: Self.width, window: $0)
        }
        layout = try CacheLayout(spec: ModelCacheSpec(layers: layers), scheme: scheme)
        pool = BlockPool(budgetBytes: budget)
        folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func cache(_ agent: String = "anna") -> AgentCache { AgentCache(agent: agent, layout: layout, pool: pool) }

    /// What element `column` of a row is, in keys and values of both heads.
    static func element(position: Int, layer: Int, column: Int, seed: Int = 0) -> Float {
        let phase = position * 131 + position / blockTokens * 37
        return Float((phase + layer * 11 + column * 7 + seed * 17) & 255) - 128
    }

    /// Appends rows that follow from their position and `seed`.
    func append(_ count: Int, to cache: AgentCache, seed: Int = 0) throws {
        var rest = count
        while rest > 0 {
            let part = min(rest, 512)
            try cache.reserve(part)
            var rows = [Float](repeating: 0, count: part * Self.width)
            for layer in layout.layers.indices {
                for row in 0..<part {
                    for column in 0..<Self.width {
                        rows[row * Self.width + column] = Self.element(
                            position: cache.count + row, layer: layer, column: column, seed: seed)
                    }
                }
                for head in 0..<2 {
                    cache.store(
                        layer: layer, head: head, keys: rows, keyStride: Self.width, values: rows, valueStride: Self.width,
                        count: part, isa: kl_isa_best())
                }
            }
            cache.commit((0..<part).map { Int32(cache.count + $0 + seed * 10_000) })
            rest -= part
        }
    }

    /// Brings a cache to state `number` from the one before: eight turns of 150 tokens, then a new beginning.
    func advance(_ cache: AgentCache, to number: Int) throws {
        if number % 8 == 0 { try cache.truncate(to: 0) }
        try append(150, to: cache, seed: number / 8)
    }

    /// The number of the state that `cache` is in, and whether it is exactly that.
    func state(of cache: AgentCache) throws -> (number: Int, isExact: Bool) {
        let seed = Int(cache.tokens.first ?? 0) / 10_000
        let number = seed * 8 + cache.count / 150 - 1
        let twin = self.cache()
        for step in (seed * 8)...max(seed * 8, number) { try advance(twin, to: step) }
        return (number, Self.same(cache, twin))
    }

    func load(_ folder: AgentFolder, residence: StoredAgent.Residence = .mapped) throws -> AgentCache {
        try folder.load(identity: identity, layout: layout, pool: pool, workers: nil, residence: residence).cache
    }

    /// All that two caches must have in common: tokens, and the bytes of every row that a later query can see.
    static func same(_ a: AgentCache, _ b: AgentCache) -> Bool {
        guard a.tokens == b.tokens else { return false }
        for (index, layer) in a.layout.layers.enumerated() {
            let first = layer.keptWindow.map { max(0, a.count + 1 - $0) } ?? 0
            for kind in RowKind.allCases {
                for head in 0..<layer.spec.kvHeads {
                    let rows = [a, b].map { cache in
                        encoded(cache, index, kind, head: head, from: first) + waiting(cache, index, kind, head: head)
                    }
                    guard rows[0] == rows[1] else { return false }
                }
            }
        }
        return true
    }

    /// The bytes of the encoded rows of a head from position `first` on, tile by tile.
    private static func encoded(_ cache: AgentCache, _ index: Int, _ kind: RowKind, head: Int, from first: Int) -> [UInt8] {
        let layer = cache.layout.layers[index]
        let layout = kind == .keys ? layer.keys : layer.values!
        let end = layout.encoded(at: cache.count)
        var bytes: [UInt8] = []
        for position in stride(from: (first + layout.tileTokens - 1) / layout.tileTokens * layout.tileTokens, to: end, by: 1) {
            let base = cache.block(layer: index, holding: position)
            let segment = kind == .keys ? layer.keySegment(head: head, in: base) : layer.valueSegment(head: head, in: base)
            for (number, plane) in layout.planes.enumerated() where position % plane.tileTokens == 0 {
                let start = segment.plane(number, token: position % blockTokens, as: UInt8.self)
                bytes += UnsafeBufferPointer(start: start, count: plane.bytesPerTile)
            }
        }
        return bytes
    }

    /// The rows of a head that wait in 16-bit floats, as bytes of floats.
    private static func waiting(_ cache: AgentCache, _ index: Int, _ kind: RowKind, head: Int) -> [UInt8] {
        let layer = cache.layout.layers[index]
        let layout = kind == .keys ? layer.keys : layer.values!
        let start = min(cache.count, layout.firstWaiting(at: cache.count))
        var rows = [Float](repeating: 0, count: (cache.count - start) * layout.width)
        if !rows.isEmpty {
            cache.readWaiting(
                kind, layer: index, head: head, positions: start..<cache.count, into: &rows, isa: kl_isa_best())
        }
        return rows.withUnsafeBytes(Array.init)
    }

    /// The bytes of every file in a folder, by name.
    static func files(_ path: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
        }
        return files
    }
}
