import Caches
import Models
import Schemes

/// Finds the ranges and levels of KVQuant for a model: from the keys, before rotary embedding, and the values of some texts.
public struct KVQuantCalibrator {
    /// Tokens of a window; each is read from an empty cache.
    public static let window = 512

    private let engine: Engine
    private let layout: CacheLayout

    public init(engine: Engine) throws {
        self.engine = engine
        layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: "fp32"), windowPolicy: .full)
    }

    /// Reads each text in windows, one window of each in turn, until `limit` tokens are read.
    /// - Throws: `ModelsError/emptyPrompt` where there is no token, or what a step of the model throws.
    public func run(texts: [[Int32]], limit: Int) throws -> (layers: [KVQuantCalibration.Layer], tokens: Int) {
        var windows: [[Int32]] = []
        var left = limit
        for start in stride(from: 0, to: texts.map(\.count).max() ?? 0, by: Self.window) {
            for text in texts where start < text.count && left > 0 {
                windows.append(Array(text[start..<min(text.count, start + min(Self.window, left))]))
                left -= windows.last!.count
            }
        }
        guard !windows.isEmpty else { throw ModelsError.emptyPrompt }
        let pool = BlockPool(budgetBytes: .max)
        let caches = try windows.map { tokens in
            let cache = AgentCache(agent: "calibration", layout: layout, pool: pool)
            try engine.prefill(cache, tokens)
            return cache
        }
        return (layout.layers.indices.map { self.layer($0, caches) }, limit - left)
    }

    private func layer(_ index: Int, _ caches: [AgentCache]) -> KVQuantCalibration.Layer {
        let rotations = engine.model.keyRotations
        let (spec, place) = (layout.layers[index].spec, rotations.places[index])
        let rotary = KVQuantRotary(
            offset: place.offset, pairsHalves: place.pairsHalves, frequencies: rotations.embeddings[place.table].frequencies)
        let keys = (0..<spec.kvHeads).map { head -> [Float] in
            caches.flatMap { cache -> [Float] in
                var rows = self.rows(.keys, cache, layer: index, head: head)
                rows.withUnsafeMutableBufferPointer { rows in
                    for position in 0..<cache.count {
                        rotary.turn(rows.baseAddress! + position * spec.keyWidth, position: position, back: true)
                    }
                }
                return rows
            }
        }
        let values = (0..<(spec.valueWidth > 0 ? spec.kvHeads : 0)).map { head in
            caches.flatMap { self.rows(.values, $0, layer: index, head: head) }
        }
        return KVQuantCalibration.Layer(
            keys: keys, width: spec.keyWidth, values: values, valueWidth: spec.valueWidth, rotary: rotary)
    }

    /// All rows of a head, [count, width].
    private func rows(_ kind: RowKind, _ cache: AgentCache, layer index: Int, head: Int) -> [Float] {
        let layer = layout.layers[index]
        let segment = kind == .keys ? layer.keys : layer.values!
        return stride(from: 0, to: cache.count, by: blockTokens).flatMap { position in
            let count = min(blockTokens, cache.count - position)
            let base = cache.block(layer: index, holding: position)
            return [Float](unsafeUninitializedCapacity: count * segment.width) { out, filled in
                segment.scheme.decode(
                    kind == .keys ? layer.keySegment(head: head, in: base) : layer.valueSegment(head: head, in: base), from: 0,
                    count: count, into: out.baseAddress!, isa: engine.execution.isa)
                filled = count * segment.width
            }
        }
    }
}
