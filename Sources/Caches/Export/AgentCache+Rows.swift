import CKernels
import Schemes
import Tensors

/// Keys or values of a layer.
enum RowKind: String, CaseIterable {
    case keys, values
}

extension LayerLayout {
    /// nil for values that are a part of the keys.
    func segment(_ kind: RowKind) -> SegmentLayout? { kind == .keys ? keys : values }

    /// Where plane `plane` of `head` starts in a block.
    func planeOffset(_ kind: RowKind, head: Int, plane: Int) -> Int {
        let layout = segment(kind)!
        let start = kind == .keys ? 0 : spec.kvHeads * keys.byteCount
        return start + head * layout.byteCount
            + layout.planes[..<plane].reduce(0) { $0 + $1.bytesPerToken } * blockTokens
    }
}

extension AgentCache {
    /// Positions of a layer that are held.
    func positions(layer: Int) -> Range<Int> { min(firstPosition(layer: layer), count)..<count }

    /// Calls `body` with the bytes of one plane of one head, block after block, in order of position.
    func forEachRun(
        layer: Int, _ kind: RowKind, head: Int, plane: Int, positions: Range<Int>,
        _ body: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let layout = self.layout.layers[layer]
        let width = layout.segment(kind)!.planes[plane].bytesPerToken
        let offset = layout.planeOffset(kind, head: head, plane: plane)
        var position = positions.lowerBound
        while position < positions.upperBound {
            let token = position % blockTokens
            let rows = min(blockTokens - token, positions.upperBound - position)
            let start = block(layer: layer, holding: position) + offset + token * width
            try body(UnsafeMutableRawBufferPointer(start: start, count: rows * width))
            position += rows
        }
    }

    /// Rows of one head as floats, block after block, in order of position: [rows, width] each time.
    func forEachDecoded(
        layer: Int, _ kind: RowKind, head: Int, positions: Range<Int>, _ body: (UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        let layout = self.layout.layers[layer]
        let segment = layout.segment(kind)!
        let rows = try AlignedBuffer(count: blockTokens * segment.width, of: Float.self)
        var position = positions.lowerBound
        while position < positions.upperBound {
            let token = position % blockTokens
            let count = min(blockTokens - token, positions.upperBound - position)
            let base = block(layer: layer, holding: position)
            let place = kind == .keys ? layout.keySegment(head: head, in: base) : layout.valueSegment(head: head, in: base)
            segment.scheme.decode(place, from: token, count: count, into: rows.bound(), isa: kl_isa_best())
            try body(UnsafeBufferPointer(start: rows.bound(to: Float.self), count: count * segment.width))
            position += count
        }
    }
}
