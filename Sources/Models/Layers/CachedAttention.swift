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
    }

    // MARK: Prefill

    private func prefill(
        _ sequence: Sequence, layer: Int, window: Int?, shape: Shape, queries: UnsafePointer<Float>,
        queryStride: Int, out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        let group = shape.group
        let taskTokens = max(1, Self.taskRows / group)
        let parts = (sequence.count + taskTokens - 1) / taskTokens
        let kernel = execution.compute.kernel
        let tileTokens = Self.tileTokens(execution)
        let isa = execution.isa
        let layout = sequence.cache.layout.layers[layer]
        execution.workers.run(shape.kvHeads * parts) { task, worker in
            let head = task % shape.kvHeads
            let first = task / shape.kvHeads * taskTokens
            let tokens = min(taskTokens, sequence.count - first)
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
            kl_flash_begin(
                isa, kernel, my.flash, my.queries, shape.keyWidth, rows, tileTokens, shape.keyWidth,
                shape.valueWidth)
            let end = Int(my.high[rows - 1])
            // Tiles start at multiples of their length, so that a row sees the same tiles wherever its prompt was cut.
            var position = Int(my.low[0]) / tileTokens * tileTokens
            while position < end {
                let token = position % blockTokens
                let count = min(tileTokens - token % tileTokens, end - position)
                let base = sequence.cache.block(layer: layer, holding: position)
                layout.keys.scheme.decode(
                    layout.keySegment(head: head, in: base), from: token, count: count, into: my.keys, isa: isa)
                if shape.valuesInKeys {
                    for row in 0..<count {
                        (my.values + row * shape.valueWidth).update(
                            from: my.keys + row * shape.keyWidth, count: shape.valueWidth)
                    }
                } else {
                    layout.values!.scheme.decode(
                        layout.valueSegment(head: head, in: base), from: token, count: count, into: my.values, isa: isa)
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
}
