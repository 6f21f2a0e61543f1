import CKernels
import Schemes

/// Rows of one head that go through another scheme before the cache stores them: what a coarser head would do to a model whose
/// other heads are fine.
///
/// A cache has one scheme for all heads of a layer. Here one head's rows are encoded by `segment`'s scheme, decoded, and only
/// then stored in the layer's own scheme, which should be a fine one: its own rounding comes on top.
public struct HeadRoundTrip: Sendable {
    public let kind: RowKind
    public let layer: Int
    public let head: Int
    let segment: SegmentLayout

    /// - Parameter layout: what the head's layer would be stored like. Its rows must be encoded one by one and at once.
    public init(_ kind: RowKind, layer: Int, head: Int, as layout: CacheLayout) {
        (self.kind, self.layer, self.head) = (kind, layer, head)
        segment = layout.layers[layer].segment(kind)!
        precondition(segment.tileTokens == 1 && segment.residual == .none, "rows that wait cannot make a round trip")
    }

    /// Calls `body` with `count` rows as they come out of the other scheme: [count, width], contiguous.
    func withRows(
        _ rows: UnsafePointer<Float>, stride: Int, count: Int, isa: kl_isa, _ body: (UnsafePointer<Float>) -> Void
    ) {
        let width = segment.width
        withUnsafeTemporaryAllocation(byteCount: segment.byteCount, alignment: 64) { bytes in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count * width) { floats in
                let scratch = segment.segment(at: bytes.baseAddress!)
                for start in Swift.stride(from: 0, to: count, by: blockTokens) {
                    let part = min(blockTokens, count - start)
                    segment.scheme.encode(rows + start * stride, count: part, stride: stride, at: 0, into: scratch, isa: isa)
                    segment.scheme.decode(scratch, from: 0, count: part, into: floats.baseAddress! + start * width, isa: isa)
                }
                body(UnsafePointer(floats.baseAddress!))
            }
        }
    }
}
