import CKernels
import Caches
import Schemes

/// The attention of probe rows, for cache schemes that choose by it.
extension CachedAttention {
    /// The most query rows that are scored at once.
    private static let scoredRows = 64

    /// Gives the tokens that wait the attention of the step's probe rows, and encodes the tiles that the step fills, in the caches
    /// whose schemes ask for it. Queries are [row, head, keyWidth], already rotated.
    ///
    /// Rows of a tile are looked at together, and read of the cache what their own attention reads: nothing depends on where a
    /// prompt is cut.
    func probe(
        layer: Int, window: Int?, shape: Shape, sequences: [Sequence], queries: UnsafePointer<Float>, queryStride: Int
    ) {
        let asking = sequences.filter { $0.cache.layout.layers[layer].readsAttention }
        execution.workers.run(asking.count * shape.kvHeads) { task, worker in
            let sequence = asking[task / shape.kvHeads]
            let head = task % shape.kvHeads
            let end = sequence.firstPosition + sequence.count
            var position = sequence.firstPosition
            while position < end {
                let tile = position / ProbeRows.tile * ProbeRows.tile
                let next = min(end, tile + ProbeRows.tile)
                probe(
                    position..<next, tile: tile, sequence, layer: layer, head: head, window: window, shape: shape,
                    queries: queries, queryStride: queryStride, worker: worker)
                if next == tile + ProbeRows.tile {
                    sequence.cache.encodeProbed(layer: layer, head: head, tile: tile, isa: execution.isa)
                }
                position = next
            }
        }
    }

    /// Notes what the probe rows among `positions`, which are of one tile, give to its tokens.
    private func probe(
        _ positions: Range<Int>, tile: Int, _ sequence: Sequence, layer: Int, head: Int, window: Int?, shape: Shape,
        queries: UnsafePointer<Float>, queryStride: Int, worker: Int
    ) {
        let isa = execution.isa
        let probes = ProbeRows.places(tile: tile).enumerated().filter { positions.contains(tile + $0.element) }
        guard let last = probes.last else { return }
        let layout = sequence.cache.layout.layers[layer]
        let waiting = WaitingRows(sequence, layout, shape: shape, query: positions.lowerBound)
        let rows = probes.count * shape.group
        let end = tile + last.element + 1
        func low(_ place: Int) -> Int { max(0, tile + place + 1 - (window ?? .max)) }

        let keys = scratch.worker(worker).keys
        var query = [Float](repeating: 0, count: rows * shape.keyWidth)
        for (index, probe) in probes.enumerated() {
            let source = queries + (sequence.firstRow + tile + probe.element - sequence.firstPosition) * queryStride
                + head * shape.group * shape.keyWidth
            query.withUnsafeMutableBufferPointer {
                let target = $0.baseAddress! + index * shape.group * shape.keyWidth
                target.update(from: source, count: shape.group * shape.keyWidth)
            }
        }
        kl_scale(isa, &query, shape.scale, query.count)
        var scores = [Float](repeating: 0, count: rows * ProbeRows.tile)
        var maxima = [Float](repeating: -.infinity, count: rows)
        var sums = [Float](repeating: 0, count: rows)
        var nothing: Float = 0

        // From tile to tile: the last one is that of the probes.
        var position = low(probes[0].element) / ProbeRows.tile * ProbeRows.tile
        while position < end {
            let next = min(end, position + ProbeRows.tile)
            read(
                .keys, sequence.cache, layer, layout, head: head, position..<next, waitingFrom: waiting.keys, into: keys)
            let (start, count) = (position, next - position)
            scores.withUnsafeMutableBufferPointer { scores in
                for first in Swift.stride(from: 0, to: rows, by: Self.scoredRows) {
                    query.withUnsafeBufferPointer { query in
                        kl_scores_f32(
                            isa, query.baseAddress! + first * shape.keyWidth, shape.keyWidth, min(Self.scoredRows, rows - first),
                            keys, count, shape.keyWidth, scores.baseAddress! + first * ProbeRows.tile, ProbeRows.tile)
                    }
                }
                for row in 0..<rows {
                    let place = probes[row / shape.group].element
                    let seen = low(place)...(tile + place)
                    for index in 0..<count {
                        let score = row * ProbeRows.tile + index
                        if shape.softcap > 0 { scores[score] = shape.softcap * hyperbolicTangent(scores[score] / shape.softcap) }
                        // Finite, so that a row that sees nothing here has weights to be scaled away.
                        if !seen.contains(start + index) { scores[score] = -1e30 }
                    }
                }
                kl_softmax_block(isa, scores.baseAddress!, ProbeRows.tile, rows, count, &maxima, &sums, &nothing, 0, 0)
            }
            position = next
        }

        // What is left in `scores` are the weights within the tile, but for their sums.
        var weights = [Float](repeating: 0, count: ProbeRows.tile)
        for (index, probe) in probes.enumerated() {
            let seen = probe.element + 1
            for token in 0..<seen { weights[token] = 0 }
            for row in (index * shape.group)..<((index + 1) * shape.group) {
                for token in 0..<seen { weights[token] += scores[row * ProbeRows.tile + token] / sums[row] }
            }
            sequence.cache.note(
                probe: probe.offset, weights, first: tile, count: seen, layer: layer, head: head, isa: isa)
        }
    }
}
