import CKernels

/// Attention with grouped query heads and rotary positions, as Llama and Gemma have it.
struct GroupedQueryAttention: AttentionLayer {
    let shape: CachedAttention.Shape
    /// Tokens that a query sees; nil for all.
    let window: Int?
    /// Which of the step's rotary tables turns queries and keys.
    let rotary: Int
    /// Norms over each head's query and key, before they are turned.
    let queryNorm: Norm?
    let keyNorm: Norm?
    /// Queries, keys and values stacked.
    let queryKeyValue: Linear
    let output: Linear

    private var queryWidth: Int { shape.queryHeads * shape.keyWidth }
    private var keyWidth: Int { shape.kvHeads * shape.keyWidth }
    private var stride: Int { queryKeyValue.rows }

    var byteCount: Int { queryKeyValue.byteCount + output.byteCount }
    var attentionShape: CachedAttention.Shape { shape }

    var storeCost: LayerCost { part(of: queryKeyValue.rows - queryWidth) }
    var attendCost: LayerCost { part(of: queryWidth) + LayerCost(output) }

    /// The cost of some rows of `queryKeyValue`.
    private func part(of rows: Int) -> LayerCost {
        var cost = LayerCost()
        cost.elements = rows * queryKeyValue.cols
        cost.bytes = queryKeyValue.byteCount * rows / queryKeyValue.rows
        return cost
    }

    func storeKeysAndValues(_ step: Step, layer: Int, andQueries: Bool) {
        queryKeyValue.apply(
            step.scratch.normed, runs: step.runs, rows: (andQueries ? 0 : queryWidth)..<stride,
            into: step.scratch.projected, stride: stride, on: step.execution)
        let isa = step.execution.isa
        let sequences = step.rows.sequences
        step.execution.workers.run(sequences.count * shape.kvHeads) { task, _ in
            let sequence = sequences[task / shape.kvHeads]
            let head = task % shape.kvHeads
            let row = step.scratch.projected + sequence.firstRow * stride + queryWidth
            let keys = row + head * shape.keyWidth
            let values = row + keyWidth + head * shape.valueWidth
            for index in 0..<sequence.count {
                let key = keys + index * stride
                let stepRow = sequence.firstRow + index
                keyNorm?.apply(key, into: key, isa: isa)
                rotate(key, row: stepRow, step)
                step.check(key, shape.keyWidth, row: stepRow)
                step.check(values + index * stride, shape.valueWidth, row: stepRow)
            }
            sequence.cache.store(
                layer: layer, head: head, keys: keys, keyStride: stride, values: values, valueStride: stride,
                count: sequence.count, probesFollow: true, isa: isa)
        }
    }

    func probe(_ step: Step, layer: Int) {
        turnQueries(step)
        CachedAttention(execution: step.execution, scratch: step.scratch.attention).probe(
            layer: layer, window: window, shape: shape, sequences: step.active.sequences, queries: step.scratch.projected,
            queryStride: stride)
    }

    func attend(_ step: Step, layer: Int, queries: QueryRows) {
        let scratch = step.scratch
        let count = step.active.count
        if queries == .none {
            queryKeyValue.apply(
                scratch.normed, runs: step.runs, rows: 0..<queryWidth, into: scratch.projected, stride: stride,
                on: step.execution)
        }
        if queries != .turned { turnQueries(step) }
        CachedAttention(execution: step.execution, scratch: scratch.attention).attend(
            layer: layer, window: window, shape: shape, sequences: step.active.sequences, queries: scratch.projected,
            queryStride: stride, out: scratch.mixed, outStride: output.cols)
        let mixed = scratch.activations(scratch.mixed, stride: output.cols)
        step.execution.forEachChunk(of: count) { step.quantize(mixed, rows: $0, cols: output.cols) }
        output.apply(mixed, runs: step.runs, into: scratch.delta, stride: scratch.hiddenSize, on: step.execution)
    }

    /// Norms and turns the queries of the active rows.
    private func turnQueries(_ step: Step) {
        let rows = step.active.rows
        step.execution.forEachChunk(of: step.active.count) { chunk in
            for row in chunk {
                for head in 0..<shape.queryHeads {
                    let query = step.scratch.projected + row * stride + head * shape.keyWidth
                    queryNorm?.apply(query, into: query, isa: step.execution.isa)
                    rotate(query, row: rows[row], step)
                }
            }
        }
    }

    /// Turns one head of the token in step row `row`.
    private func rotate(_ head: UnsafeMutablePointer<Float>, row: Int, _ step: Step) {
        let table = step.scratch.rotary[rotary]
        kl_rope(
            step.execution.isa, head, shape.keyWidth, table.cosines + row * table.half, table.sines + row * table.half,
            true)
    }
}
