import CKernels
import Caches

/// Multi-head latent attention: keys and values of all heads are expanded from one compressed row per token, and a
/// rotated key part is shared by all heads.
///
/// The cache holds either the expanded keys and values, or the compressed rows. In the second form the expansion is
/// absorbed: q · (W_K c) = (W_Kᵀ q) · c, and Σ p (W_V c) = W_V Σ p c.
/// - Source: arXiv 2405.04434, section 2.1.
struct LatentAttention: AttentionLayer {
    struct Shape {
        let heads: Int
        let nopeWidth: Int
        let ropeWidth: Int
        let valueWidth: Int
        let latentWidth: Int
        /// 0 where queries are not compressed.
        let queryLatentWidth: Int
        /// Factor on the scores.
        let scale: Float
        /// Does the cache hold compressed rows?
        let isLatent: Bool

        var queryWidth: Int { nopeWidth + ropeWidth }
        var compressedWidth: Int { latentWidth + ropeWidth }

        /// What attention over the cache looks like.
        var attention: CachedAttention.Shape {
            isLatent
                ? CachedAttention.Shape(
                    queryHeads: heads, kvHeads: 1, keyWidth: compressedWidth, valueWidth: latentWidth, scale: scale,
                    softcap: 0, valuesInKeys: true)
                : CachedAttention.Shape(
                    queryHeads: heads, kvHeads: heads, keyWidth: queryWidth, valueWidth: valueWidth, scale: scale, softcap: 0)
        }

        // Where things are in a projected row.

        /// Queries, [heads, nope + rope].
        var queries: Int { 0 }
        /// Compressed KV, then the shared key part.
        var compressed: Int { heads * queryWidth }
        /// Compressed queries.
        var compressedQueries: Int { compressed + compressedWidth }
        /// Expanded form: [heads, nope + value]. Latent form: absorbed queries, [heads, latent + rope].
        var first: Int { compressedQueries + queryLatentWidth }
        /// Expanded form: keys, [heads, nope + rope]. Latent form: weighted compressed rows, [heads, latent].
        var second: Int { first + heads * (isLatent ? compressedWidth : nopeWidth + valueWidth) }
        var projectedWidth: Int { second + heads * (isLatent ? latentWidth : queryWidth) }
        /// The widest row that a matrix takes.
        var widestInput: Int { max(heads * (isLatent ? max(latentWidth, valueWidth) : valueWidth), latentWidth, queryLatentWidth) }
    }

    enum Queries {
        case full(Linear)
        case compressed(down: Linear, norm: Norm, up: Linear)
    }

    enum Expansion {
        /// [heads, nope + value] rows: keys and values of every head.
        case whole(Linear)
        case absorbed(AbsorbedExpansion)
    }

    let shape: Shape
    /// Which of the step's rotary tables turns queries and keys.
    let rotary: Int
    let queries: Queries
    /// Hidden state → compressed KV and the shared key part.
    let compression: Linear
    let compressedNorm: Norm
    let expansion: Expansion
    let output: Linear

    private var stride: Int { shape.projectedWidth }

    var byteCount: Int {
        let queryBytes =
            switch queries {
            case .full(let linear): linear.byteCount
            case .compressed(let down, _, let up): down.byteCount + up.byteCount
            }
        let expansionBytes =
            switch expansion {
            case .whole(let linear): linear.byteCount
            case .absorbed(let absorbed): absorbed.byteCount
            }
        return queryBytes + compression.byteCount + expansionBytes + output.byteCount
    }

    var attentionShape: CachedAttention.Shape { shape.attention }

    var storeCost: LayerCost {
        guard case .whole(let linear) = expansion else { return LayerCost(compression) }
        return LayerCost(compression, linear)
    }

    var attendCost: LayerCost {
        var cost = LayerCost(output)
        switch queries {
        case .full(let linear): cost.add(linear)
        case .compressed(let down, _, let up):
            cost.add(down)
            cost.add(up)
        }
        if case .absorbed(let absorbed) = expansion {
            for linear in absorbed.keys + absorbed.values { cost.add(linear) }
        }
        return cost
    }

    // MARK: Keys and values

    func storeKeysAndValues(_ step: Step, layer: Int, andQueries: Bool) {
        let scratch = step.scratch
        let rows = step.rows.count
        // Everything that takes the hidden state first: the form of it that products take is replaced by the next input's.
        if andQueries { projectQueries(step, rows: rows) }
        compression.apply(
            scratch.normed, runs: step.runs, into: scratch.projected + shape.compressed, stride: stride, on: step.execution)
        if andQueries { expandQueries(step, rows: rows) }
        let compressed = scratch.activations(scratch.projected + shape.compressed, stride: stride)
        let isa = step.execution.isa
        step.execution.forEachChunk(of: rows) { chunk in
            for row in chunk {
                let start = compressed.values + row * stride
                compressedNorm.apply(start, into: start, isa: isa)
                rotate(start + shape.latentWidth, row: row, step)
                step.check(start, shape.compressedWidth, row: row)
            }
            if case .whole = expansion { step.quantize(compressed, rows: chunk, cols: shape.latentWidth) }
        }
        if case .whole(let linear) = expansion { expand(compressed, linear, step) }

        let (keys, keyWidth, values) =
            shape.isLatent
            ? (shape.compressed, shape.compressedWidth, shape.compressed)
            : (shape.second, shape.queryWidth, shape.first + shape.nopeWidth)
        let sequences = step.rows.sequences
        let heads = shape.attention.kvHeads
        step.execution.workers.run(sequences.count * heads) { task, _ in
            let sequence = sequences[task / heads]
            let head = task % heads
            let row = scratch.projected + sequence.firstRow * stride
            sequence.cache.store(
                layer: layer, head: head, keys: row + keys + head * keyWidth, keyStride: stride,
                values: row + values + head * (shape.nopeWidth + shape.valueWidth), valueStride: stride,
                count: sequence.count, probesFollow: true, isa: isa)
        }
    }

    /// Keys and values of every head from the compressed rows.
    private func expand(_ compressed: Activations, _ linear: Linear, _ step: Step) {
        let scratch = step.scratch
        linear.apply(
            compressed, runs: step.runs, into: scratch.projected + shape.first, stride: stride, on: step.execution)
        step.execution.forEachChunk(of: step.rows.count) { chunk in
            for row in chunk {
                let start = scratch.projected + row * stride
                step.check(start + shape.first, linear.rows, row: row)
                for head in 0..<shape.heads {
                    let key = start + shape.second + head * shape.queryWidth
                    key.update(
                        from: start + shape.first + head * (shape.nopeWidth + shape.valueWidth), count: shape.nopeWidth)
                    (key + shape.nopeWidth).update(
                        from: start + shape.compressed + shape.latentWidth, count: shape.ropeWidth)
                }
            }
        }
    }

    // MARK: Queries

    /// The products of the queries that take the hidden state.
    private func projectQueries(_ step: Step, rows: Int) {
        let scratch = step.scratch
        switch queries {
        case .full(let linear):
            linear.apply(
                scratch.normed, runs: step.runs, into: scratch.projected + shape.queries, stride: stride, on: step.execution)
        case .compressed(let down, _, _):
            down.apply(
                scratch.normed, runs: step.runs, into: scratch.projected + shape.compressedQueries, stride: stride,
                on: step.execution)
        }
    }

    /// The rest: queries from their compressed form.
    private func expandQueries(_ step: Step, rows: Int) {
        guard case .compressed(_, let norm, let up) = queries else { return }
        let scratch = step.scratch
        let compressed = scratch.activations(scratch.projected + shape.compressedQueries, stride: stride)
        step.execution.forEachChunk(of: rows) { chunk in
            for row in chunk {
                let start = compressed.values + row * stride
                norm.apply(start, into: start, isa: step.execution.isa)
            }
            step.quantize(compressed, rows: chunk, cols: up.cols)
        }
        up.apply(compressed, runs: step.runs, into: scratch.projected + shape.queries, stride: stride, on: step.execution)
    }

    // MARK: Attention

    /// Where the queries are that attention over the cache takes, in a projected row.
    private var attentionQueries: Int { shape.isLatent ? shape.first : shape.queries }

    func probe(_ step: Step, layer: Int) {
        turnQueries(step)
        CachedAttention(execution: step.execution, scratch: step.scratch.attention).probe(
            layer: layer, window: nil, shape: shape.attention, sequences: step.active.sequences,
            queries: step.scratch.projected + attentionQueries, queryStride: stride)
    }

    /// Turns the queries of the active rows, and absorbs the expansion in the latent form.
    private func turnQueries(_ step: Step) {
        let rows = step.active.rows
        step.execution.forEachChunk(of: step.active.count) { chunk in
            for row in chunk {
                for head in 0..<shape.heads {
                    let query = step.scratch.projected + row * stride + shape.queries + head * shape.queryWidth
                    rotate(query + shape.nopeWidth, row: rows[row], step)
                }
            }
        }
        if case .absorbed(let absorbed) = expansion { absorbed.queries(shape, step) }
    }

    func attend(_ step: Step, layer: Int, queries: QueryRows) {
        let scratch = step.scratch
        let count = step.active.count
        if queries == .none {
            projectQueries(step, rows: count)
            expandQueries(step, rows: count)
        }
        if queries != .turned { turnQueries(step) }
        let attention = CachedAttention(execution: step.execution, scratch: scratch.attention)
        switch expansion {
        case .whole:
            attention.attend(
                layer: layer, window: nil, shape: shape.attention, sequences: step.active.sequences,
                queries: scratch.projected + attentionQueries, queryStride: stride, out: scratch.mixed, outStride: output.cols)
        case .absorbed(let absorbed):
            attention.attend(
                layer: layer, window: nil, shape: shape.attention, sequences: step.active.sequences,
                queries: scratch.projected + attentionQueries, queryStride: stride, out: scratch.projected + shape.second,
                outStride: stride)
            absorbed.values(shape, step)
        }
        let mixed = scratch.activations(scratch.mixed, stride: output.cols)
        step.execution.forEachChunk(of: count) { step.quantize(mixed, rows: $0, cols: output.cols) }
        output.apply(mixed, runs: step.runs, into: scratch.delta, stride: scratch.hiddenSize, on: step.execution)
    }

    /// Turns neighbouring pairs of the rotated part of the token in step row `row`.
    private func rotate(_ part: UnsafeMutablePointer<Float>, row: Int, _ step: Step) {
        let table = step.scratch.rotary[rotary]
        kl_rope(
            step.execution.isa, part, shape.ropeWidth, table.cosines + row * table.half, table.sines + row * table.half,
            false)
    }
}
