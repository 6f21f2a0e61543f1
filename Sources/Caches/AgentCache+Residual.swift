import CKernels
import Schemes

/// Rows that wait in 16-bit floats.
///
/// Rows of a step of one token go to the ring at once. Rows of a longer step wait in memory of their own until it is
/// committed, since those in the ring may be needed once more if it is not.
extension AgentCache {
    /// Stores rows in 16-bit floats, and encodes the tiles that wait no longer once they count. What a query reads encoded is
    /// up to it: see ``SegmentLayout/firstWaiting(at:)``.
    func storeWaiting(
        _ kind: RowKind, layer: Int, head: Int, rows: UnsafePointer<Float>, stride: Int, count new: Int, probesFollow: Bool,
        isa: kl_isa
    ) {
        let segment = layout.layers[layer].segment(kind)!
        precondition(new <= 1 || layers[layer].staging != nil, "\(new) rows, and room for one")
        for row in 0..<new {
            let place = waitingRow(kind, layer: layer, head: head, position: count + row).assumingMemoryBound(to: UInt16.self)
            kl_f32_to_half(isa, KL_F16, rows + row * stride, segment.width, place)
            if segment.readsAttention { (place + segment.width).update(repeating: 0, count: ProbeRows.count) }
        }
        guard !(probesFollow && segment.readsAttention) else { return }
        encode(
            kind, layer: layer, head: head, positions: segment.encoded(at: count)..<segment.encoded(at: count + new), isa: isa)
    }

    /// Encodes whole tiles of rows that wait, where their block is still held.
    func encode(_ kind: RowKind, layer: Int, head: Int, positions: Range<Int>, isa: kl_isa) {
        let layerLayout = layout.layers[layer]
        let segment = layerLayout.segment(kind)!
        let start = max(positions.lowerBound, layers[layer].first * blockTokens)
        guard start < positions.upperBound else { return }
        let unit = max(segment.tileTokens, 32)
        let room = min(unit, positions.upperBound - start)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: room * segment.width) { floats in
            var position = start
            while position < positions.upperBound {
                let token = position % blockTokens
                let part = min(unit - position % unit, positions.upperBound - position)
                readWaiting(
                    kind, layer: layer, head: head, positions: position..<(position + part), into: floats.baseAddress!,
                    isa: isa)
                var target = layerLayout.segment(kind, head: head, in: block(layer: layer, holding: position))
                target.firstPosition = position - token
                (target.layer, target.head) = (layer, head)
                withNoted(kind, layer: layer, head: head, tile: position, isa: isa) { saliency in
                    target.saliency = saliency
                    segment.scheme.encode(
                        floats.baseAddress!, count: part, stride: segment.width, at: token, into: target, isa: isa)
                }
                position += part
            }
        }
    }

    /// Rows of one head that wait, as floats: [positions, width]. Of a step that is not committed yet too.
    public func readWaiting(
        _ kind: RowKind, layer: Int, head: Int, positions: Range<Int>, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let width = layout.layers[layer].segment(kind)!.width
        let ring = layout.layers[layer].residual![kind]!
        let staged = layers[layer].staging != nil
        var position = positions.lowerBound
        while position < positions.upperBound {
            var rows = positions.upperBound - position
            if !staged || position < count {
                rows = min(rows, ring.rows - position % ring.rows)
                if staged { rows = min(rows, count - position) }
            }
            let source = waitingRow(kind, layer: layer, head: head, position: position)
            let target = out + (position - positions.lowerBound) * width
            // Rows lie side by side unless something is noted behind each.
            let (runs, length) = ring.rowBytes == 2 * width ? (1, rows * width) : (rows, width)
            for run in 0..<runs {
                kl_half_to_f32(
                    isa, KL_F16, (source + run * ring.rowBytes).assumingMemoryBound(to: UInt16.self), length, target + run * width)
            }
            position += rows
        }
    }

    /// Where a row that waits lies.
    func waitingRow(_ kind: RowKind, layer: Int, head: Int, position: Int) -> UnsafeMutableRawPointer {
        let residual = layout.layers[layer].residual!
        let ring = residual[kind]!
        if position >= count, let staging = layers[layer].staging {
            let staged = layers[layer].stagedRows
            return staging.pointer + residual.stagingOffset(kind, head: head, staged: staged)
                + (position - count) * ring.rowBytes
        }
        return layers[layer].residual!.pointer + ring.offset + head * ring.headBytes + position % ring.rows * ring.rowBytes
    }

    /// Makes room for the rows of a step in the layers that have a residual window.
    func reserveWaiting(_ extra: Int, in layers: inout [LayerBlocks]) throws {
        guard layout.hasResidual else { return }
        for (index, layer) in layout.layers.enumerated() where layer.residual != nil {
            if extra > 0, layers[index].residual == nil { layers[index].residual = try pool.allocate(layer.residualBytes) }
            let staged = extra > 1 ? ResidualLayout.stagedRows(extra) : 0
            if staged != layers[index].stagedRows {
                layers[index].staging = nil
                layers[index].staging = staged == 0 ? nil : try pool.allocate(layer.stagingBytes(rows: extra))
                layers[index].stagedRows = staged
            }
        }
    }

    /// Puts the last rows of a step of `new` tokens where they wait from now on.
    func commitWaiting(_ new: Int) {
        guard layout.hasResidual else { return }
        let end = count + new
        for (index, layer) in layout.layers.enumerated() {
            guard let residual = layer.residual, let staging = layers[index].staging else { continue }
            for kind in RowKind.allCases {
                guard let ring = residual[kind] else { continue }
                for head in 0..<residual.heads {
                    let staged = staging.pointer + residual.stagingOffset(kind, head: head, staged: layers[index].stagedRows)
                    let target = layers[index].residual!.pointer + ring.offset + head * ring.headBytes
                    ring.forEachRun(max(count, end - ring.rows)..<end) { slot, rows, position in
                        (target + slot * ring.rowBytes).copyMemory(
                            from: staged + (position - count) * ring.rowBytes, byteCount: rows * ring.rowBytes)
                    }
                }
            }
            dropStaging(layer: index)
        }
    }
}
