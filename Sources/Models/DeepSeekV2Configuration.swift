import Caches

/// DeepSeek-V2, multi-head latent attention: what its caches depend on.
/// - Source: transformers `models/deepseek_v2/configuration_deepseek_v2.py`.
public struct DeepSeekV2Configuration: ModelConfiguration {
    public static let modelTypes = ["deepseek_v2"]

    public let layers: Int
    public let heads: Int
    public let vocabularySize: Int
    public let contextLimit: Int
    /// Width of the compressed KV.
    public let latentWidth: Int
    /// Width of the key part without positions, per head.
    public let nopeWidth: Int
    /// Width of the rotated key part, shared by all heads.
    public let ropeWidth: Int
    public let valueWidth: Int

    public init(_ file: ConfigurationFile) throws {
        layers = try file.int("num_hidden_layers")
        heads = try file.int("num_attention_heads")
        vocabularySize = try file.int("vocab_size")
        contextLimit = try file.int("max_position_embeddings", default: 2048)
        latentWidth = try file.int("kv_lora_rank")
        nopeWidth = try file.int("qk_nope_head_dim")
        ropeWidth = try file.int("qk_rope_head_dim")
        valueWidth = try file.int("v_head_dim")
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
