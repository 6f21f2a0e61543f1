extension GatedMLP {
    /// `gate_proj` and `up_proj` [width, hidden] and `down_proj` [hidden, width] under `prefix`.
    init(
        _ prefix: String, hiddenSize: Int, width: Int, activation: Activation, weights: some WeightSource
    ) throws {
        self.init(
            activation: activation,
            gateUp: try weights.linear(
                [(prefix + "gate_proj.weight", width), (prefix + "up_proj.weight", width)], cols: hiddenSize),
            down: try weights.linear([(prefix + "down_proj.weight", hiddenSize)], cols: width))
    }
}
