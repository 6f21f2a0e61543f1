import Schemes
import Tensors

/// A tensor of a card with rows: one plane of the keys or values of a layer, of the tokens of one scheme.
struct CardPlane {
    let layer: Int
    let kind: RowKind
    let scheme: Int
    let plane: Int
    let heads: Int
    let rows: Int
    let bytesPerToken: Int
    let name: String

    var shape: [Int] { [heads, rows, bytesPerToken] }
    var byteCount: Int { heads * rows * bytesPerToken }
}

extension CardHeader {
    /// The planes in the order of the file.
    func planes(_ layouts: [CacheLayout]) -> [CardPlane] {
        var planes: [CardPlane] = []
        for (scheme, layout) in layouts.enumerated() {
            for (index, layer) in layout.layers.enumerated() {
                let rows = ranges(scheme: scheme, layer: layer).reduce(0) { $0 + $1.count }
                for kind in RowKind.allCases {
                    for (number, plane) in (layer.segment(kind)?.planes ?? []).enumerated() {
                        planes.append(
                            CardPlane(
                                layer: index, kind: kind, scheme: scheme, plane: number, heads: layer.spec.kvHeads,
                                rows: rows, bytesPerToken: plane.bytesPerToken,
                                name: "layers.\(index).\(kind).\(scheme).\(plane.name)"))
                    }
                }
            }
        }
        return planes
    }

    /// The card's tokens of a scheme that a layer holds.
    func ranges(scheme: Int, layer: LayerLayout) -> [Range<Int>] {
        precision.ranges(scheme: scheme, from: tokenCount - heldTokens(layer))
    }

    /// All tensors, in the order of the file.
    func declarations(_ planes: [CardPlane]) -> [SafetensorsWriter.Declaration] {
        [
            .init(name: "tokens", dtype: .i32, shape: [tokenCount]),
            .init(name: "positions", dtype: .i32, shape: [tokenCount]),
            .init(name: "precision", dtype: .i32, shape: [precision.runs.count, 2]),
            .init(name: "digests", dtype: .u8, shape: [planes.count, seal.digestBytes]),
        ] + planes.map { .init(name: $0.name, dtype: .u8, shape: $0.shape) } + [
            .init(name: "seal", dtype: .u8, shape: [seal.sealBytes])
        ]
    }
}
