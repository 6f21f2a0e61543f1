import Caches

/// Llama 3.x: grouped-query attention, RoPE, RMSNorm, SwiGLU.
/// - Source: transformers `models/llama/configuration_llama.py`.
public struct LlamaConfiguration: ModelConfiguration {
    public static let modelTypes = ["llama"]

    public let hiddenSize: Int
    public let ffnSize: Int
    public let layers: Int
    public let queryHeads: Int
    public let kvHeads: Int
    public let headWidth: Int
    public let vocabularySize: Int
    public let contextLimit: Int
    public let normEpsilon: Float
    public let tiedEmbeddings: Bool
    public let rope: RotaryEmbedding

    public init(_ file: ConfigurationFile) throws {
        hiddenSize = try file.int("hidden_size")
        ffnSize = try file.int("intermediate_size")
        layers = try file.int("num_hidden_layers", maximum: ConfigurationFile.maximumLayers)
        queryHeads = try file.int("num_attention_heads")
        kvHeads = try file.int("num_key_value_heads", default: queryHeads)
        guard queryHeads % kvHeads == 0 else {
            throw file.bad("num_key_value_heads", "(\(kvHeads)) must divide num_attention_heads (\(queryHeads))")
        }
        headWidth = try file.rotatedWidth("head_dim", default: hiddenSize / queryHeads)
        vocabularySize = try file.int("vocab_size")
        contextLimit = try file.int("max_position_embeddings", default: 2048)
        normEpsilon = Float(try file.double("rms_norm_eps", default: 1e-6))
        tiedEmbeddings = try file.bool("tie_word_embeddings", default: false)
        rope = try RotaryEmbedding(
            RotaryParameters(file, contextLimit: contextLimit, defaultBase: 10_000), width: headWidth)
        _ = try file.require("hidden_act", oneOf: ["silu"], default: "silu")
        try file.require("attention_bias", "mlp_bias", "use_sliding_window", equal: false)
    }

    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        let layer = LayerCacheSpec(kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth)
        return ModelCacheSpec(layers: Array(repeating: layer, count: layers))
    }
}

extension LlamaConfiguration {
    /// - Source: transformers `models/llama/modeling_llama.py`.
    public func model(
        name: String, weights: some WeightSource, execution: Execution, mlaForm: MLAForm = .none,
        limits: Decoder.StepLimits = .init()
    ) throws -> Decoder {
        let embedding = try weights.linear([("model.embed_tokens.weight", vocabularySize)], cols: hiddenSize)
        let shape = CachedAttention.Shape(
            queryHeads: queryHeads, kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth,
            scale: 1 / Float(headWidth).squareRoot(), softcap: 0)
        let parts = Decoder.Parts(
            vocabularySize: vocabularySize, contextLimit: contextLimit, cacheSpec: cacheSpec(mlaForm: .none),
            embedding: embedding, keyRotations: keyRotations(mlaForm: .none),
            blocks: try (0..<layers).map { try block($0, shape, weights) },
            finalNorm: try norm("model.norm.weight", weights),
            head: tiedEmbeddings
                ? embedding : try weights.linear([("lm_head.weight", vocabularySize)], cols: hiddenSize),
            widths: StepScratch.Widths(
                hidden: hiddenSize, projected: (queryHeads + 2 * kvHeads) * headWidth, mixed: queryHeads * headWidth,
                feedForward: 2 * ffnSize, rotary: [headWidth / 2],
                input: max(hiddenSize, ffnSize, queryHeads * headWidth)),
            attentionShape: shape)
        return try Decoder(
            name: name, weightsLabel: weights.label, identity: "\(self) \(weights.identity)", parts: parts,
            execution: execution, limits: limits)
    }

    private func block(_ layer: Int, _ shape: CachedAttention.Shape, _ weights: some WeightSource) throws -> TransformerBlock {
        let prefix = "model.layers.\(layer)."
        return TransformerBlock(
            inputNorm: try norm(prefix + "input_layernorm.weight", weights),
            attention: try GroupedQueryAttention(
                prefix + "self_attn.", hiddenSize: hiddenSize, shape: shape, weights: weights),
            feedForwardNorm: try norm(prefix + "post_attention_layernorm.weight", weights),
            feedForward: try GatedMLP(
                prefix + "mlp.", hiddenSize: hiddenSize, width: ffnSize, activation: .silu, weights: weights))
    }

    private func norm(_ name: String, _ weights: some WeightSource) throws -> Norm {
        Norm(weight: try weights.vector(name, count: hiddenSize), epsilon: normEpsilon)
    }
}
