import Caches

/// Gemma 3, the text model: what its caches depend on.
/// - Source: transformers `models/gemma3/configuration_gemma3.py`.
public struct Gemma3Configuration: ModelConfiguration {
    public static let modelTypes = ["gemma3_text", "gemma3"]

    public let layers: Int
    public let kvHeads: Int
    public let headWidth: Int
    public let vocabularySize: Int
    public let contextLimit: Int
    /// Tokens that a sliding layer sees.
    public let window: Int
    /// Is the layer a sliding one?
    public let isSliding: [Bool]

    public init(_ file: ConfigurationFile) throws {
        // Files of the multimodal model hold the text model in an object of its own.
        let file = try file.object("text_config") ?? file
        let count = try file.int("num_hidden_layers")
        layers = count
        kvHeads = try file.int("num_key_value_heads")
        headWidth = try file.int("head_dim", default: 256)
        vocabularySize = try file.int("vocab_size", default: 262_208)
        contextLimit = try file.int("max_position_embeddings", default: 131_072)
        window = try file.int("sliding_window")
        if let types = try file.strings("layer_types") {
            guard types.count == count else {
                throw file.bad("layer_types", "names \(types.count) layers of \(count)")
            }
            isSliding = try types.map { type in
                guard ["sliding_attention", "full_attention"].contains(type) else {
                    throw ModelsError.unsupported(
                        file: file.path, what: "layer_types", found: type,
                        supported: ["sliding_attention", "full_attention"])
                }
                return type == "sliding_attention"
            }
        } else {
            let pattern = try file.int("sliding_window_pattern", default: 6)
            isSliding = (0..<count).map { ($0 + 1) % pattern != 0 }
        }
    }

    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        ModelCacheSpec(
            layers: isSliding.map {
                LayerCacheSpec(kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth, window: $0 ? window : nil)
            })
    }
}
