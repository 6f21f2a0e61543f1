import Caches

/// Llama 3.x.
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
        layers = try file.int("num_hidden_layers")
        queryHeads = try file.int("num_attention_heads")
        kvHeads = try file.int("num_key_value_heads", default: queryHeads)
        guard queryHeads % kvHeads == 0 else {
            throw file.bad("num_key_value_heads", "(\(kvHeads)) must divide num_attention_heads (\(queryHeads))")
        }
        headWidth = try file.int("head_dim", default: hiddenSize / queryHeads)
        guard headWidth % 2 == 0 else { throw file.bad("head_dim", "(\(headWidth)) must be even") }
        vocabularySize = try file.int("vocab_size")
        contextLimit = try file.int("max_position_embeddings", default: 2048)
        normEpsilon = Float(try file.double("rms_norm_eps", default: 1e-6))
        tiedEmbeddings = try file.bool("tie_word_embeddings", default: false)
        rope = try RotaryEmbedding(file, width: headWidth, defaultBase: 10_000)
        _ = try file.require("hidden_act", oneOf: ["silu"], default: "silu")
        for key in ["attention_bias", "mlp_bias"] where try file.bool(key, default: false) {
            throw ModelsError.unsupported(file: file.path, what: key, found: "true", supported: ["false"])
        }
    }

    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        let layer = LayerCacheSpec(kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth)
        return ModelCacheSpec(layers: Array(repeating: layer, count: layers))
    }
}
