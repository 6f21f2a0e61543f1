import CKernels
import Caches
import Schemes
import Tensors

/// Attention of new queries over everything that an agent's cache holds of one layer.
///
/// Many queries of a sequence (prefill) decode a tile of keys and values once and use it for all of them; one query
/// (decode) works on the packed rows where the scheme has kernels. Work is split by sequence, KV head and position
/// only, so that the result does not depend on the number of threads.
struct CachedAttention {
    /// What is the same for all layers of a kind.
    struct Shape {
        let queryHeads: Int
        let kvHeads: Int
        let keyWidth: Int
        let valueWidth: Int
        /// Factor on the scores.
        let scale: Float
        /// scores → softcap · tanh(scores / softcap) where positive.
        let softcap: Float
        /// Are values the first part of the key rows?
        var valuesInKeys = false

        /// Query heads that share a KV head.
        var group: Int { queryHeads / kvHeads }
        /// Query heads that one decode task holds.
        var decodeHeads: Int { min(group, CachedAttention.decodeHeads) }
        /// Decode tasks per KV head.
        var decodeSplits: Int { (group + decodeHeads - 1) / decodeHeads }
        /// Decode tasks of all heads.
        var decodeTasks: Int { kvHeads * decodeSplits }
        /// Width of the rows that a decode sums.
        var summedWidth: Int { valuesInKeys ? keyWidth : valueWidth }
    }

    /// Query rows of one sequence, at positions `firstPosition ..< firstPosition + count`.
    struct Sequence {
        let cache: AgentCache
        /// Row of the first query in the step's query and output matrices.
        let firstRow: Int
        let count: Int
        let firstPosition: Int
        var mass: AttentionMass?
    }

    /// Where the rows begin that a query reads in 16-bit floats: those that waited when its step began, or when the
    /// positions began among which a prompt may be cut, so that a cut changes nothing. `Int.max` where no row waits.
    struct WaitingRows {
        let keys: Int
        let values: Int

        init(_ sequence: Sequence, _ layout: LayerLayout, shape: Shape, query: Int) {
            let start = max(sequence.cache.count, query / promptCutTokens * promptCutTokens)
            keys = layout.keys.firstWaiting(at: start)
            values = shape.valuesInKeys ? keys : layout.values!.firstWaiting(at: start)
        }

        /// Rows from `position` on, at most `limit`, of which the keys lie in one kind of place, and the values too.
        func run(from position: Int, limit: Int) -> Int {
            var count = limit
            if position < keys { count = min(count, keys - position) }
            if position < values { count = min(count, values - position) }
            return count
        }
    }

    /// Tokens of one tile of a prefill: more with tiles of bfloat16, which have less to do at the ends of a tile.
    static func tileTokens(_ execution: Execution) -> Int { execution.hasTiles ? 256 : 128 }
    /// The most tokens of a tile.
    static let longestTile = 256
    /// Query rows that one prefill task holds.
    static let taskRows = 1024
    /// Tokens of one part of a decode; parts are joined in order.
    static let splitTokens = 2048
    /// The most query heads that one decode task holds: all that share a KV head in most models, so that the packed
    /// rows are read once.
    static let decodeHeads = 8

    let execution: Execution
    let scratch: AttentionScratch

    /// out[row, head, valueWidth] from queries [row, head, keyWidth], already rotated.
    func attend(
        layer: Int, window: Int?, shape: Shape, sequences: [Sequence], queries: UnsafePointer<Float>,
        queryStride: Int, out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        for (index, sequence) in sequences.enumerated() where sequence.count > 1 {
            prefill(
                sequences[index], layer: layer, window: window, shape: shape, queries: queries,
                queryStride: queryStride, out: out, outStride: outStride)
        }
        decode(
            sequences, layer: layer, window: window, shape: shape, queries: queries, queryStride: queryStride,
            out: out, outStride: outStride)
        for sequence in sequences {
            sequence.mass?.add(self, sequence, layer: layer, window: window, shape: shape, queries, stride: queryStride)
        }
    }

    // MARK: Prefill

    private func prefill(
        _ sequence: Sequence, layer: Int, window: Int?, shape: Shape, queries: UnsafePointer<Float>,
        queryStride: Int, out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        let group = shape.group
        let layout = sequence.cache.layout.layers[layer]
        var taskTokens = max(1, Self.taskRows / group)
        var offset = 0
        if layout.residualBytes > 0 {
            // All queries of a task read the same rows in 16-bit floats.
            taskTokens = min(taskTokens, promptCutTokens)
            while promptCutTokens % taskTokens != 0 { taskTokens -= 1 }
            offset = sequence.firstPosition % taskTokens
        }
        let parts = (offset + sequence.count + taskTokens - 1) / taskTokens
        let kernel = execution.compute.kernel
        let tileTokens = Self.tileTokens(execution)
        let isa = execution.isa
        execution.workers.run(shape.kvHeads * parts) { [taskTokens, offset] task, worker in
            let head = task % shape.kvHeads
            let part = task / shape.kvHeads
            let first = max(0, part * taskTokens - offset)
            let tokens = min(sequence.count, (part + 1) * taskTokens - offset) - first
            let waiting = WaitingRows(sequence, layout, shape: shape, query: sequence.firstPosition + first)
            let rows = tokens * group
            let my = scratch.worker(worker)

            // Query rows of one token's heads lie together: neighbouring rows see the same keys.
            for token in 0..<tokens {
                let row = queries + (sequence.firstRow + first + token) * queryStride + head * group * shape.keyWidth
                let target = my.queries + token * group * shape.keyWidth
                target.update(from: row, count: group * shape.keyWidth)
                let end = sequence.firstPosition + first + token + 1
                for member in 0..<group {
                    my.low[token * group + member] = Int32(max(0, end - (window ?? end)))
                    my.high[token * group + member] = Int32(end)
                }
            }
            kl_scale(isa, my.queries, shape.scale, rows * shape.keyWidth)
            let scheme = layout.keys.scheme
            if scheme.roundsQueries { scheme.roundQueries(my.queries, count: rows, width: shape.keyWidth, isa: isa) }
            kl_flash_begin(
                isa, kernel, my.flash, my.queries, shape.keyWidth, rows, tileTokens, shape.keyWidth,
                shape.valueWidth)
            let end = Int(my.high[rows - 1])
            // Tiles start at multiples of their length, so that a row sees the same tiles wherever its prompt was cut.
            var position = Int(my.low[0]) / tileTokens * tileTokens
            while position < end {
                let token = position % blockTokens
                let count = min(tileTokens - token % tileTokens, end - position)
                let positions = position..<(position + count)
                read(.keys, sequence.cache, layer, layout, head: head, positions, waitingFrom: waiting.keys, into: my.keys)
                if shape.valuesInKeys {
                    for row in 0..<count {
                        (my.values + row * shape.valueWidth).update(
                            from: my.keys + row * shape.keyWidth, count: shape.valueWidth)
                    }
                } else {
                    read(
                        .values, sequence.cache, layer, layout, head: head, positions, waitingFrom: waiting.values,
                        into: my.values)
                }
                kl_flash_tile(
                    isa, kernel, my.flash, my.keys, my.values, count, Int32(position), my.low, my.high, shape.softcap)
                position += count
            }
            kl_flash_end(isa, kernel, my.flash, my.output, shape.valueWidth)
            for token in 0..<tokens {
                let target = out + (sequence.firstRow + first + token) * outStride + head * group * shape.valueWidth
                target.update(from: my.output + token * group * shape.valueWidth, count: group * shape.valueWidth)
            }
        }
    }

    /// Rows of one block as floats: encoded ones, and from `waiting` on those in 16-bit floats.
    func read(
        _ kind: RowKind, _ cache: AgentCache, _ layer: Int, _ layout: LayerLayout, head: Int, _ positions: Range<Int>,
        waitingFrom waiting: Int, into out: UnsafeMutablePointer<Float>
    ) {
        let encoded = max(0, min(positions.upperBound, waiting) - positions.lowerBound)
        let segment = kind == .keys ? layout.keys : layout.values!
        if encoded > 0 {
            let base = cache.block(layer: layer, holding: positions.lowerBound)
            segment.scheme.decode(
                kind == .keys ? layout.keySegment(head: head, in: base) : layout.valueSegment(head: head, in: base),
                from: positions.lowerBound % blockTokens, count: encoded, into: out, isa: execution.isa)
        }
        guard encoded < positions.count else { return }
        cache.readWaiting(
            kind, layer: layer, head: head, positions: (positions.lowerBound + encoded)..<positions.upperBound,
            into: out + encoded * segment.width, isa: execution.isa)
    }
}
