import CKernels
import Caches
import Schemes

/// Decode: one query per sequence, on the packed rows where the scheme has kernels.
extension CachedAttention {
    func decode(
        _ sequences: [Sequence], layer: Int, window: Int?, shape: Shape, queries: UnsafePointer<Float>,
        queryStride: Int, out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        // Parts of all single-query sequences, one after another, times the groups of heads.
        let groups = shape.decodeTasks
        var parts = 0
        for sequence in sequences where sequence.count == 1 { parts += splits(sequence, window: window).count }
        guard parts > 0 else { return }
        execution.workers.run(parts * groups) { task, worker in
            var part = task / groups
            for sequence in sequences where sequence.count == 1 {
                let ranges = splits(sequence, window: window)
                if part < ranges.count {
                    decodePart(
                        sequence, layer: layer, heads: HeadGroup(task % groups, shape), positions: ranges.positions(part),
                        shape: shape, queries: queries + sequence.firstRow * queryStride,
                        partial: scratch.partial(task, shape), worker: worker)
                    return
                }
                part -= ranges.count
            }
        }
        var part = 0
        for sequence in sequences where sequence.count == 1 {
            let count = splits(sequence, window: window).count
            for index in 0..<groups {
                let heads = HeadGroup(index, shape)
                join(
                    (0..<count).lazy.map { (part + $0) * groups + index }, heads: heads.count, shape: shape,
                    out: out + sequence.firstRow * outStride + heads.first * shape.valueWidth)
            }
            part += count
        }
    }

    /// Query heads of one decode task.
    private struct HeadGroup {
        let kvHead: Int
        /// The first query head.
        let first: Int
        let count: Int

        init(_ index: Int, _ shape: Shape) {
            kvHead = index / shape.decodeSplits
            let start = index % shape.decodeSplits * shape.decodeHeads
            first = kvHead * shape.group + start
            count = min(shape.decodeHeads, shape.group - start)
        }
    }

    /// The positions that a single query sees, cut at multiples of ``splitTokens``.
    private struct Splits {
        let low: Int
        let high: Int
        var count: Int { (high - 1) / splitTokens - low / splitTokens + 1 }

        func positions(_ part: Int) -> Range<Int> {
            let first = (low / splitTokens + part) * splitTokens
            return max(low, first)..<min(high, first + splitTokens)
        }
    }

    /// Of a segment that is read next, as much is fetched beside the work on the one before it.
    private static var fetchedBytes: Int { 20 << 10 }

    private func splits(_ sequence: Sequence, window: Int?) -> Splits {
        let end = sequence.firstPosition + 1
        return Splits(low: max(0, end - (window ?? end)), high: end)
    }

    private func decodePart(
        _ sequence: Sequence, layer: Int, heads: HeadGroup, positions: Range<Int>, shape: Shape,
        queries: UnsafePointer<Float>, partial: AttentionScratch.Partial, worker: Int
    ) {
        let isa = execution.isa
        let layout = sequence.cache.layout.layers[layer]
        let my = scratch.worker(worker)
        let group = heads.count
        my.queries.update(from: queries + heads.first * shape.keyWidth, count: group * shape.keyWidth)
        kl_scale(isa, my.queries, shape.scale, group * shape.keyWidth)
        let scheme = layout.keys.scheme
        if scheme.roundsQueries { scheme.roundQueries(my.queries, count: group, width: shape.keyWidth, isa: isa) }
        let quantizable = shape.keyWidth % Linear.groupSize == 0
        if quantizable {
            kl_quantize_activations(
                isa, my.queries, group, shape.keyWidth, shape.keyWidth, my.quantized.codes, my.quantized.scales,
                my.quantized.sums)
        }
        let query = DecodeQueries(
            values: my.queries, quantized: quantizable ? my.quantized : nil, heads: group, width: shape.keyWidth)
        partial.reset(heads: group, width: shape.summedWidth)
        let waiting = WaitingRows(sequence, layout, shape: shape, query: sequence.firstPosition)

        var position = positions.lowerBound
        while position < positions.upperBound {
            let token = position % blockTokens
            let count = waiting.run(from: position, limit: min(blockTokens - token, positions.upperBound - position))
            let base = sequence.cache.block(layer: layer, holding: position)
            let keys = layout.keySegment(head: heads.kvHead, in: base)
            let (summed, values) =
                shape.valuesInKeys
                ? (layout.keys.scheme, keys) : (layout.values!.scheme, layout.valueSegment(head: heads.kvHead, in: base))
            let valueScratch = shape.valuesInKeys ? my.keys : my.values
            if !shape.valuesInKeys { kl_fetch(values.base, min(layout.values!.byteCount, Self.fetchedBytes)) }
            if position >= waiting.keys {
                sequence.cache.readWaiting(
                    .keys, layer: layer, head: heads.kvHead, positions: position..<(position + count), into: my.keys, isa: isa)
                kl_scores_f32(
                    isa, query.values, query.width, group, my.keys, count, shape.keyWidth, my.scores, blockTokens)
            } else if execution.compute == .fast {
                layout.keys.scheme.scores(
                    query, keys, from: token, count: count, into: my.scores, stride: blockTokens, scratch: my.keys,
                    isa: isa)
            } else {
                layout.keys.scheme.denseScores(
                    query, keys, from: token, count: count, into: my.scores, stride: blockTokens, scratch: my.keys,
                    isa: isa)
            }
            if shape.softcap > 0 {
                for row in 0..<group {
                    softcap(my.scores + row * blockTokens, count, shape.softcap)
                }
            }
            kl_softmax_block(
                isa, my.scores, blockTokens, group, count, partial.maxima, partial.sums, partial.output,
                shape.summedWidth, shape.summedWidth)
            if position + count < positions.upperBound {
                let next = sequence.cache.block(layer: layer, holding: position + count)
                kl_fetch(layout.keySegment(head: heads.kvHead, in: next).base, min(layout.keys.byteCount, Self.fetchedBytes))
            }
            if position >= waiting.values {
                // Values in keys are there since their scores.
                if !shape.valuesInKeys {
                    sequence.cache.readWaiting(
                        .values, layer: layer, head: heads.kvHead, positions: position..<(position + count),
                        into: my.values, isa: isa)
                }
                kl_accumulate_f32(
                    isa, my.scores, blockTokens, group, valueScratch, count, shape.summedWidth, partial.output,
                    shape.summedWidth)
            } else if execution.compute == .fast {
                summed.accumulate(
                    my.scores, stride: blockTokens, heads: group, values, from: token, count: count,
                    into: partial.output, scratch: valueScratch, isa: isa)
            } else {
                summed.denseAccumulate(
                    my.scores, stride: blockTokens, heads: group, values, from: token, count: count,
                    into: partial.output, scratch: valueScratch, isa: isa)
            }
            position += count
        }
    }

    private func softcap(_ scores: UnsafeMutablePointer<Float>, _ count: Int, _ cap: Float) {
        for index in 0..<count { scores[index] = cap * hyperbolicTangent(scores[index] / cap) }
    }

    /// Joins the parts of a group of heads in order and normalises.
    private func join(_ tasks: some Swift.Sequence<Int>, heads: Int, shape: Shape, out: UnsafeMutablePointer<Float>) {
        for member in 0..<heads {
            var maximum = -Float.infinity
            for task in tasks { maximum = max(maximum, scratch.partial(task, shape).maxima[member]) }
            var sum: Float = 0
            let target = out + member * shape.valueWidth
            target.update(repeating: 0, count: shape.valueWidth)
            for task in tasks {
                let partial = scratch.partial(task, shape)
                let factor = exponential(partial.maxima[member] - maximum)
                sum += partial.sums[member] * factor
                let source = partial.output + member * shape.summedWidth
                for index in 0..<shape.valueWidth { target[index] += source[index] * factor }
            }
            kl_scale(execution.isa, target, 1 / sum, shape.valueWidth)
        }
    }
}
