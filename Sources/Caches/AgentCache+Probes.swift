import CKernels
import Schemes

/// The attention that probe rows give to rows that wait, for schemes that ask for it: see ``ProbeRows``.
///
/// What each probe row gives is noted behind the row that waits, in bfloat16, and goes where that row goes: to disk and back
/// too. A probe row that is computed again writes the same places, so nothing is counted twice.
extension AgentCache {
    /// Notes what probe row `probe` of a tile gives to each of `count` tokens from position `first` on: weights [count].
    public func note(
        probe: Int, _ weights: UnsafePointer<Float>, first: Int, count: Int, layer: Int, head: Int, isa: kl_isa
    ) {
        for kind in RowKind.allCases {
            guard let segment = layout.layers[layer].segment(kind), segment.readsAttention else { continue }
            for index in 0..<count {
                let row = waitingRow(kind, layer: layer, head: head, position: first + index)
                kl_f32_to_half(
                    isa, KL_BF16, weights + index, 1, row.assumingMemoryBound(to: UInt16.self) + segment.width + probe)
            }
        }
    }

    /// Encodes the tile at `position`, which is whole with the step's rows, in the schemes that ask for attention.
    public func encodeProbed(layer: Int, head: Int, tile position: Int, isa: kl_isa) {
        for kind in RowKind.allCases where layout.layers[layer].segment(kind)?.readsAttention == true {
            encode(kind, layer: layer, head: head, positions: position..<(position + ProbeRows.tile), isa: isa)
        }
    }

    /// `body` with each token's saliency, [tile], or nil where the scheme does not ask for it.
    func withNoted(
        _ kind: RowKind, layer: Int, head: Int, tile position: Int, isa: kl_isa, _ body: (UnsafePointer<Float>?) -> Void
    ) {
        let segment = layout.layers[layer].segment(kind)!
        guard segment.readsAttention else { return body(nil) }
        let places = ProbeRows.places(tile: position)
        let window = layout.layers[layer].spec.window ?? .max
        withUnsafeTemporaryAllocation(of: Float.self, capacity: ProbeRows.tile + ProbeRows.count) { floats in
            let (saliency, given) = (floats.baseAddress!, floats.baseAddress! + ProbeRows.tile)
            for token in 0..<ProbeRows.tile {
                let row = waitingRow(kind, layer: layer, head: head, position: position + token)
                kl_half_to_f32(
                    isa, KL_BF16, row.assumingMemoryBound(to: UInt16.self) + segment.width, ProbeRows.count, given)
                var (sum, rows): (Float, Float) = (0, 0)
                for (probe, place) in places.enumerated() where place >= token && place - token < window {
                    sum += given[probe]
                    rows += 1
                }
                saliency[token] = rows > 0 ? sum / rows : 0
            }
            body(UnsafePointer(saliency))
        }
    }
}
