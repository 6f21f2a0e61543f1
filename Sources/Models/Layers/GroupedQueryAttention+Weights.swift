extension GroupedQueryAttention {
    /// `q_proj`, `k_proj` and `v_proj` [heads · width, hidden] and `o_proj` [hidden, heads · width] under `prefix`.
    init(
        _ prefix: String, hiddenSize: Int, shape: CachedAttention.Shape, window: Int? = nil, rotary: Int = 0,
        queryNorm: Norm? = nil, keyNorm: Norm? = nil, weights: some WeightSource
    ) throws {
        let queries = shape.queryHeads * shape.keyWidth
        self.init(
            shape: shape, window: window, rotary: rotary, queryNorm: queryNorm, keyNorm: keyNorm,
            queryKeyValue: try weights.linear(
                [
                    (prefix + "q_proj.weight", queries),
                    (prefix + "k_proj.weight", shape.kvHeads * shape.keyWidth),
                    (prefix + "v_proj.weight", shape.kvHeads * shape.valueWidth),
                ], cols: hiddenSize),
            output: try weights.linear([(prefix + "o_proj.weight", hiddenSize)], cols: queries))
    }
}
