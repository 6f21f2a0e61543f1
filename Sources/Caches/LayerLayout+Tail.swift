import Schemes

/// What of a layer is in no whole block: the rows of its last blocks that are encoded, plane by plane and without the room
/// after them, and then the rows that wait in 16-bit floats.
struct LayerTail {
    let layer: LayerLayout
    /// Tokens of the cache.
    let count: Int
    /// The unfilled blocks.
    let blocks: Range<Int>
    /// The least count that the cache can go back to: the rows are kept that it would need there.
    let least: Int

    var byteCount: Int { blocks.reduce(residualBytes) { $0 + packedBytes(block: $1) } }

    /// Positions of the rows that wait.
    func waiting(_ kind: RowKind) -> Range<Int> {
        layer.residual?[kind] == nil ? count..<count : min(count, layer.segment(kind)!.encoded(at: least))..<count
    }

    private var residualBytes: Int {
        guard let residual = layer.residual else { return 0 }
        return RowKind.allCases.reduce(0) { bytes, kind in
            bytes + residual.heads * waiting(kind).count * (residual[kind]?.rowBytes ?? 0)
        }
    }

    /// Bytes of the encoded rows of a block.
    func packedBytes(block: Int) -> Int {
        var bytes = 0
        forEachPlane(block: block) { bytes += $1 }
        return bytes
    }

    /// Copies the encoded rows of a block.
    func pack(block: Int, from base: UnsafeRawPointer, into out: UnsafeMutableRawPointer) {
        var out = out
        forEachPlane(block: block) { offset, bytes in
            out.copyMemory(from: base + offset, byteCount: bytes)
            out += bytes
        }
    }

    /// Puts back what ``pack(block:from:into:)`` took; the other rows are left as they are.
    func unpack(block: Int, from packed: UnsafeRawPointer, into base: UnsafeMutableRawPointer) {
        var packed = packed
        forEachPlane(block: block) { offset, bytes in
            (base + offset).copyMemory(from: packed, byteCount: bytes)
            packed += bytes
        }
    }

    /// Calls `body` with the place of every plane in a block and the bytes of its encoded rows: keys of each head, then
    /// values of each head.
    private func forEachPlane(block: Int, _ body: (_ offset: Int, _ bytes: Int) -> Void) {
        var offset = 0
        for segment in [layer.keys, layer.values].compactMap({ $0 }) {
            let rows = min(max(0, segment.encoded(at: count) - block * blockTokens), blockTokens)
            for _ in 0..<layer.spec.kvHeads {
                for plane in segment.planes {
                    body(offset, plane.bytes(tokens: rows))
                    offset += plane.segmentBytes
                }
            }
        }
    }

    /// Calls `body` with every stretch of rows that wait, as they lie in the rings.
    func forEachRun(_ body: (_ offset: Int, _ bytes: Int) -> Void) {
        guard let residual = layer.residual else { return }
        for kind in RowKind.allCases {
            guard let ring = residual[kind] else { continue }
            for head in 0..<residual.heads {
                ring.forEachRun(waiting(kind)) { slot, rows, _ in
                    body(ring.offset + head * ring.headBytes + slot * ring.rowBytes, rows * ring.rowBytes)
                }
            }
        }
    }
}

extension ResidualLayout.Ring {
    /// Calls `body` with the slots that neighbouring positions lie in, and the first of these positions.
    func forEachRun(_ positions: Range<Int>, _ body: (_ slot: Int, _ rows: Int, _ position: Int) -> Void) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            let slot = position % rows
            let count = min(rows - slot, positions.upperBound - position)
            body(slot, count, position)
            position += count
        }
    }
}

extension CacheLayout {
    /// What is in no whole block, layer after layer.
    /// - Parameter firstBlocks: index of the first block that each layer holds.
    func tails(count: Int, least: Int, firstBlocks: [Int]) -> [LayerTail] {
        let sealed = sealedTokens(at: count) / blockTokens
        let end = (count + blockTokens - 1) / blockTokens
        return zip(layers, firstBlocks).map { layer, first in
            LayerTail(layer: layer, count: count, blocks: min(max(sealed, first), end)..<end, least: least)
        }
    }
}
