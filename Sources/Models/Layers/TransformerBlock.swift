import CKernels

/// The attention of a layer, in two halves: in the last layer, rows whose logits nobody wants stop after the first.
protocol AttentionLayer: Sendable {
    /// Stores keys and values of all rows of the step, from `scratch.normed`, and checks them; computes their queries
    /// too if asked to.
    func storeKeysAndValues(_ step: Step, layer: Int, andQueries: Bool)
    /// Turns the queries of all rows, gives the tokens that wait the attention of probe rows, and encodes the tiles that the step
    /// fills; where a cache's scheme asks for it.
    func probe(_ step: Step, layer: Int)
    /// delta = attention of the active rows.
    func attend(_ step: Step, layer: Int, queries: QueryRows)
    /// Bytes of its weights.
    var byteCount: Int { get }
    /// What a row's keys and values cost, and what the rest does.
    var storeCost: LayerCost { get }
    var attendCost: LayerCost { get }
    var attentionShape: CachedAttention.Shape { get }
}

/// What is there of the queries of the active rows.
enum QueryRows {
    /// Nothing: they come from `scratch.normed`.
    case none
    /// The product.
    case projected
    /// Queries as attention takes them.
    case turned
}

/// What follows attention in a layer.
protocol FeedForwardLayer: Sendable {
    /// delta = f(scratch.normed) for the active rows.
    func apply(_ step: Step)
    /// Bytes of its weights.
    var byteCount: Int { get }
    /// What a row costs.
    var cost: LayerCost { get }
}

/// A layer: hidden += attention(norm(hidden)), then hidden += feedForward(norm(hidden)), with a norm on what is added
/// where the model has one.
struct TransformerBlock: Sendable {
    let inputNorm: Norm
    let attention: any AttentionLayer
    var afterAttention: Norm?
    let feedForwardNorm: Norm
    let feedForward: any FeedForwardLayer
    var afterFeedForward: Norm?

    var byteCount: Int { attention.byteCount + feedForward.byteCount }

    /// - Parameter last: is this the model's last layer? Then only the rows whose logits are wanted are carried on.
    /// - Throws: ``ModelsError/notFinite(part:position:agent:model:)``. New keys and values are checked before any query
    ///   sees them: it is the row where damage shows first that is named.
    func apply(_ step: Step, layer: Int, last: Bool) throws {
        inputNorm.apply(to: step, rows: step.rows.count)
        let probes = step.rows.sequences.contains { $0.cache.layout.layers[layer].readsAttention }
        attention.storeKeysAndValues(step, layer: layer, andQueries: !last || probes)
        try step.throwIfNotFinite(.layer(layer))
        if probes { attention.probe(step, layer: layer) }
        if last {
            step.narrow()
            guard step.active.count > 0 else { return }
            inputNorm.apply(to: step, rows: step.active.count)
        }
        attention.attend(step, layer: layer, queries: last ? .none : probes ? .turned : .projected)
        add(step, afterAttention)
        feedForwardNorm.apply(to: step, rows: step.active.count)
        feedForward.apply(step)
        add(step, afterFeedForward)
        try step.throwIfNotFinite(.layer(layer))
    }

    /// hidden += norm(delta)
    private func add(_ step: Step, _ norm: Norm?) {
        let width = step.scratch.hiddenSize
        let isa = step.execution.isa
        let rows = step.active.rows
        step.execution.forEachChunk(of: step.active.count) { chunk in
            for row in chunk {
                let delta = step.scratch.delta + row * width
                norm?.apply(delta, into: delta, isa: isa)
                let hidden = step.scratch.hidden + row * width
                kl_add(isa, hidden, delta, width)
                step.check(hidden, width, row: rows[row])
            }
        }
    }
}
