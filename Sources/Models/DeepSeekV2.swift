import Caches

/// DeepSeek-V2: multi-head latent attention, mixtures of experts.
/// - Source: transformers `models/deepseek_v2/configuration_deepseek_v2.py`, whose defaults these are.
public struct DeepSeekV2Configuration: ModelConfiguration {
    public static let modelTypes = ["deepseek_v2"]

    public let hiddenSize: Int
    public let layers: Int
    public let heads: Int
    public let vocabularySize: Int
    public let contextLimit: Int
    public let normEpsilon: Float
    public let tiedEmbeddings: Bool
    /// Width of the compressed queries; nil where queries are not compressed.
    public let queryLatentWidth: Int?
    /// Width of the compressed KV.
    public let latentWidth: Int
    /// Width of the key part without positions, per head.
    public let nopeWidth: Int
    /// Width of the rotated key part, shared by all heads.
    public let ropeWidth: Int
    public let valueWidth: Int
    public let rope: RotaryEmbedding
    /// Factor on attention scores.
    public let scoreScale: Float
    /// FFN width of the dense layers.
    public let ffnSize: Int
    /// Layers before the first mixture of experts.
    public let denseLayers: Int
    public let experts: MixtureOfExperts.Shape

    public init(_ file: ConfigurationFile) throws {
        hiddenSize = try file.int("hidden_size", default: 4096)
        layers = try file.int("num_hidden_layers", maximum: ConfigurationFile.maximumLayers, default: 32)
        heads = try file.int("num_attention_heads", default: 32)
        try file.require("num_key_value_heads", equals: heads)
        vocabularySize = try file.int("vocab_size", default: 102_400)
        contextLimit = try file.int("max_position_embeddings", default: 2048)
        normEpsilon = Float(try file.double("rms_norm_eps", default: 1e-6))
        tiedEmbeddings = try file.bool("tie_word_embeddings", default: false)
        queryLatentWidth = file.isNull("q_lora_rank") ? nil : try file.int("q_lora_rank", default: 1536)
        latentWidth = try file.int("kv_lora_rank", default: 512)
        nopeWidth = try file.int("qk_nope_head_dim", default: 128)
        ropeWidth = try file.rotatedWidth("qk_rope_head_dim", default: 64)
        valueWidth = try file.int("v_head_dim", default: 128)
        let positions = try RotaryParameters(file, contextLimit: contextLimit, defaultBase: 10_000)
        rope = try RotaryEmbedding(positions, width: ropeWidth)
        scoreScale = Float(try Self.scoreScale(positions, keyWidth: nopeWidth + ropeWidth))
        ffnSize = try file.int("intermediate_size", default: 11_008)
        denseLayers = min(layers, try file.int("first_k_dense_replace", minimum: 0, default: 0))
        experts = try MixtureOfExperts.Shape(file, hiddenSize: hiddenSize)
        _ = try file.require("hidden_act", oneOf: ["silu"], default: "silu")
        try file.require("attention_bias", "mlp_bias", equal: false)
        try file.require("use_mla", equal: true)
        // Every layer from `denseLayers` on is a mixture in transformers, which knows no other frequency.
        try file.require("moe_layer_freq", equals: 1)
    }

    /// 1 / √width, times the square of YaRN's magnitude for all dimensions.
    private static func scoreScale(_ positions: RotaryParameters, keyWidth: Int) throws -> Double {
        let scale = 1 / Double(keyWidth).squareRoot()
        let allDimensions = try positions.object.double("mscale_all_dim", default: 0)
        guard positions.type != "default", allDimensions != 0 else { return scale }
        let magnitude = RotaryParameters.magnitude(try positions.factor(), allDimensions)
        return scale * magnitude * magnitude
    }

    /// - Parameter mlaForm: `expanded` keeps the keys and values of every head; `latent` keeps one row per token,
    ///   the compressed KV followed by the rotated key part, of which the values are the first part.
    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        let layer =
            mlaForm == .latent
            ? LayerCacheSpec(kvHeads: 1, keyWidth: latentWidth + ropeWidth, valueWidth: 0)
            : LayerCacheSpec(kvHeads: heads, keyWidth: nopeWidth + ropeWidth, valueWidth: valueWidth)
        return ModelCacheSpec(layers: Array(repeating: layer, count: layers), mlaForm: mlaForm == .latent ? .latent : .expanded)
    }
}

extension DeepSeekV2Configuration {
    /// - Source: transformers `models/deepseek_v2/modeling_deepseek_v2.py`.
    public func model(
        name: String, weights: some WeightSource, execution: Execution, mlaForm: MLAForm = .expanded,
        limits: Decoder.StepLimits = .init()
    ) throws -> Decoder {
        let embedding = try weights.linear([("model.embed_tokens.weight", vocabularySize)], cols: hiddenSize)
        let shape = LatentAttention.Shape(
            heads: heads, nopeWidth: nopeWidth, ropeWidth: ropeWidth, valueWidth: valueWidth, latentWidth: latentWidth,
            queryLatentWidth: queryLatentWidth ?? 0, scale: scoreScale, isLatent: mlaForm == .latent)
        let parts = Decoder.Parts(
            vocabularySize: vocabularySize, contextLimit: contextLimit, cacheSpec: cacheSpec(mlaForm: mlaForm),
            embedding: embedding, keyRotations: keyRotations(mlaForm: mlaForm),
            blocks: try (0..<layers).map { try block($0, shape, weights, execution) },
            finalNorm: try norm("model.norm.weight", hiddenSize, weights),
            head: tiedEmbeddings
                ? embedding : try weights.linear([("lm_head.weight", vocabularySize)], cols: hiddenSize),
            widths: StepScratch.Widths(
                hidden: hiddenSize, projected: shape.projectedWidth, mixed: heads * valueWidth,
                feedForward: 2 * max(ffnSize, experts.sharedFfnSize), rotary: [ropeWidth / 2],
                input: max(hiddenSize, ffnSize, experts.sharedFfnSize, shape.widestInput),
                experts: denseLayers < layers ? experts : nil),
            attentionShape: shape.attention)
        return try Decoder(
            name: name, weightsLabel: weights.label, identity: "\(self) \(weights.identity)", parts: parts,
            execution: execution, limits: limits)
    }

    private func block(
        _ layer: Int, _ shape: LatentAttention.Shape, _ weights: some WeightSource, _ execution: Execution
    ) throws -> TransformerBlock {
        let prefix = "model.layers.\(layer)."
        return TransformerBlock(
            inputNorm: try norm(prefix + "input_layernorm.weight", hiddenSize, weights),
            attention: try attention(prefix + "self_attn.", shape, weights, execution),
            feedForwardNorm: try norm(prefix + "post_attention_layernorm.weight", hiddenSize, weights),
            feedForward: layer < denseLayers
                ? try mlp(prefix + "mlp.", ffnSize, weights) : try mixture(prefix + "mlp.", weights))
    }

    private func attention(
        _ prefix: String, _ shape: LatentAttention.Shape, _ weights: some WeightSource, _ execution: Execution
    ) throws -> LatentAttention {
        let queryWidth = heads * (nopeWidth + ropeWidth)
        let queries: LatentAttention.Queries =
            if let queryLatentWidth {
                .compressed(
                    down: try weights.linear([(prefix + "q_a_proj.weight", queryLatentWidth)], cols: hiddenSize),
                    norm: try latentNorm(prefix + "q_a_layernorm.weight", queryLatentWidth, weights),
                    up: try weights.linear([(prefix + "q_b_proj.weight", queryWidth)], cols: queryLatentWidth))
            } else {
                .full(try weights.linear([(prefix + "q_proj.weight", queryWidth)], cols: hiddenSize))
            }
        let expansion = try weights.linear(
            [(prefix + "kv_b_proj.weight", heads * (nopeWidth + valueWidth))], cols: latentWidth)
        return LatentAttention(
            shape: shape, rotary: 0, queries: queries,
            compression: try weights.linear([(prefix + "kv_a_proj_with_mqa.weight", latentWidth + ropeWidth)], cols: hiddenSize),
            compressedNorm: try latentNorm(prefix + "kv_a_layernorm.weight", latentWidth, weights),
            expansion: shape.isLatent
                ? .absorbed(try AbsorbedExpansion(expansion, shape: shape, execution: execution)) : .whole(expansion),
            output: try weights.linear([(prefix + "o_proj.weight", hiddenSize)], cols: heads * valueWidth))
    }

    private func mlp(_ prefix: String, _ width: Int, _ weights: some WeightSource) throws -> GatedMLP {
        try GatedMLP(prefix, hiddenSize: hiddenSize, width: width, activation: .silu, weights: weights)
    }

    private func mixture(_ prefix: String, _ weights: some WeightSource) throws -> MixtureOfExperts {
        MixtureOfExperts(
            shape: experts, router: try weights.linear([(prefix + "gate.weight", experts.count)], cols: hiddenSize),
            experts: try (0..<experts.count).map { try mlp("\(prefix)experts.\($0).", experts.ffnSize, weights) },
            shared: experts.sharedFfnSize > 0 ? try mlp(prefix + "shared_experts.", experts.sharedFfnSize, weights) : nil)
    }

    private func norm(_ name: String, _ width: Int, _ weights: some WeightSource) throws -> Norm {
        Norm(weight: try weights.vector(name, count: width), epsilon: normEpsilon)
    }

    /// The norms of compressed rows do not take the configuration's epsilon.
    private func latentNorm(_ name: String, _ width: Int, _ weights: some WeightSource) throws -> Norm {
        Norm(weight: try weights.vector(name, count: width), epsilon: 1e-6)
    }
}
