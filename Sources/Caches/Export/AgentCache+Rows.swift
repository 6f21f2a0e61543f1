import CKernels
import Schemes
import Tensors

extension LayerLayout {
    /// Where plane `plane` of `head` starts in a block.
    func planeOffset(_ kind: RowKind, head: Int, plane: Int) -> Int {
        let layout = segment(kind)!
        let start = kind == .keys ? 0 : spec.kvHeads * keys.byteCount
        return start + head * layout.byteCount
            + layout.planes[..<plane].reduce(0) { $0 + $1.segmentBytes }
    }
}

extension AgentCache {
    /// Positions of a layer that are held.
    func positions(layer: Int) -> Range<Int> { min(firstPosition(layer: layer), count)..<count }

    /// Those of them whose rows are encoded: whole tiles.
    func encodedPositions(layer: Int, _ kind: RowKind) -> Range<Int> {
        let positions = positions(layer: layer)
        let end = layout.layers[layer].segment(kind)!.encoded(at: count)
        return positions.lowerBound..<max(positions.lowerBound, end)
    }

    /// Positions whose rows are there in 16-bit floats, as far as the cache can go back.
    func waitingPositions(layer: Int, _ kind: RowKind) -> Range<Int> {
        LayerTail(layer: layout.layers[layer], count: count, blocks: 0..<0, least: leastCount).waiting(kind)
    }

    /// Calls `body` with the bytes of the rows of one head that wait, in order of position.
    func forEachWaitingRun(
        layer: Int, _ kind: RowKind, head: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        guard let ring = layout.layers[layer].residual?[kind], let residual = layers[layer].residual else { return }
        ring.forEachRun(waitingPositions(layer: layer, kind)) { slot, rows, _ in
            body(
                UnsafeMutableRawBufferPointer(
                    start: residual.pointer + ring.offset + head * ring.headBytes + slot * ring.rowBytes,
                    count: rows * ring.rowBytes))
        }
    }

    /// Calls `body` with the bytes of one plane of one head, block after block, in order of position: of whole tiles.
    func forEachRun(
        layer: Int, _ kind: RowKind, head: Int, plane: Int, positions: Range<Int>,
        _ body: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let layout = self.layout.layers[layer]
        let shape = layout.segment(kind)!.planes[plane]
        let offset = layout.planeOffset(kind, head: head, plane: plane)
        var position = positions.lowerBound
        while position < positions.upperBound {
            let token = position % blockTokens
            let rows = min(blockTokens - token, positions.upperBound - position)
            let start = block(layer: layer, holding: position) + offset + shape.bytes(tokens: token)
            try body(UnsafeMutableRawBufferPointer(start: start, count: shape.bytes(tokens: rows)))
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
        let waiting = segment.firstWaiting(at: count)
        while position < positions.upperBound {
            let token = position % blockTokens
            var count = min(blockTokens - token, positions.upperBound - position)
            if position < waiting {
                count = min(count, waiting - position)
                segment.scheme.decode(
                    layout.segment(kind, head: head, in: block(layer: layer, holding: position)), from: token, count: count,
                    into: rows.bound(), isa: kl_isa_best())
                try segment.scheme.check()
            } else {
                readWaiting(
                    kind, layer: layer, head: head, positions: position..<(position + count), into: rows.bound(),
                    isa: kl_isa_best())
            }
            try body(UnsafeBufferPointer(start: rows.bound(to: Float.self), count: count * segment.width))
            position += count
        }
    }
}
