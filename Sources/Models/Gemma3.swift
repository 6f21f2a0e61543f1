import Caches

/// Gemma 3, the text model: sliding and global layers, norms before and after everything, GeGLU.
/// - Source: transformers `models/gemma3/configuration_gemma3.py`.
public struct Gemma3Configuration: ModelConfiguration {
    public static let modelTypes = ["gemma3_text", "gemma3"]

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
    /// Queries are divided by its root.
    public let queryScalar: Double
    /// logits → cap · tanh(logits / cap); 0 for none.
    public let logitSoftcap: Float
    /// Tokens that a query of a sliding layer sees, itself included; 0 where no layer slides.
    public let window: Int
    /// Is the layer a sliding one?
    public let isSliding: [Bool]
    public let globalRope: RotaryEmbedding
    public let slidingRope: RotaryEmbedding

    public init(_ outer: ConfigurationFile) throws {
        // Files of the multimodal model hold the text model in an object of its own.
        let file = try outer.object("text_config") ?? outer
        hiddenSize = try file.int("hidden_size", default: 2304)
        ffnSize = try file.int("intermediate_size", default: 9216)
        layers = try file.int("num_hidden_layers", maximum: ConfigurationFile.maximumLayers, default: 26)
        queryHeads = try file.int("num_attention_heads", default: 8)
        kvHeads = try file.int("num_key_value_heads", default: 4)
        guard queryHeads % kvHeads == 0 else {
            throw file.bad("num_key_value_heads", "(\(kvHeads)) must divide num_attention_heads (\(queryHeads))")
        }
        headWidth = try file.rotatedWidth("head_dim", default: 256)
        vocabularySize = try file.int("vocab_size", default: 262_208)
        contextLimit = try file.int("max_position_embeddings", default: 131_072)
        normEpsilon = Float(try file.double("rms_norm_eps", default: 1e-6))
        tiedEmbeddings = try (outer.has("tie_word_embeddings") ? outer : file).bool("tie_word_embeddings", default: true)
        queryScalar = try file.double("query_pre_attn_scalar", default: 256)
        guard queryScalar > 0 else { throw file.bad("query_pre_attn_scalar", "must be positive") }
        logitSoftcap = Float(try file.double("final_logit_softcapping", default: 0))
        isSliding = try Self.slidingLayers(file, count: layers)
        window = isSliding.contains(true) ? try file.int("sliding_window", default: file.isNull("sliding_window") ? nil : 4096) : 0
        let positions = try Self.positions(file, contextLimit: contextLimit)
        globalRope = try RotaryEmbedding(positions.global, width: headWidth)
        slidingRope = try RotaryEmbedding(positions.sliding, width: headWidth)
        // `attn_logit_softcapping` is read by transformers and never applied to Gemma 3, and so here.
        _ = try file.require("hidden_activation", oneOf: ["gelu_pytorch_tanh"], default: "gelu_pytorch_tanh")
        try file.require("attention_bias", "use_bidirectional_attention", equal: false)
    }

    /// Every `sliding_window_pattern`-th layer is global, unless `layer_types` says it layer by layer.
    private static func slidingLayers(_ file: ConfigurationFile, count: Int) throws -> [Bool] {
        guard let types = try file.strings("layer_types") else {
            let pattern = try file.int("sliding_window_pattern", default: 6)
            return (0..<count).map { ($0 + 1) % pattern != 0 }
        }
        guard types.count == count else { throw file.bad("layer_types", "names \(types.count) layers of \(count)") }
        let supported = ["sliding_attention", "full_attention"]
        return try types.map { type in
            guard supported.contains(type) else {
                throw ModelsError.unsupported(file: file.path, what: "layer_types", found: type, supported: supported)
            }
            return type == "sliding_attention"
        }
    }

    /// Positions of global and of sliding layers: `rope_parameters` with an object for each, or `rope_theta`,
    /// `rope_scaling` and `rope_local_base_freq`.
    static func positions(
        _ file: ConfigurationFile, contextLimit: Int
    ) throws -> (global: RotaryParameters, sliding: RotaryParameters) {
        let both = try file.object("rope_parameters") ?? file.nothing(under: "rope_parameters")
        guard both.isEmpty || both.has("full_attention") || both.has("sliding_attention") else {
            throw file.bad("rope_parameters", "has neither 'full_attention' nor 'sliding_attention'")
        }
        func parameters(_ object: ConfigurationFile, _ baseKey: String, _ defaultBase: Double) throws -> RotaryParameters {
            try RotaryParameters(
                object, of: file, baseKey: baseKey, defaultBase: defaultBase, contextLimit: contextLimit,
                truncate: both.bool("truncate", default: true))
        }
        var global = try both.object("full_attention") ?? both.nothing(under: "full_attention")
        if let scaling = try file.object("rope_scaling") { global = global.updated(with: scaling) }
        let sliding = try both.object("sliding_attention") ?? both.nothing(under: "sliding_attention")
        return (
            try parameters(global, "rope_theta", 1_000_000), try parameters(sliding, "rope_local_base_freq", 10_000)
        )
    }

    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        ModelCacheSpec(
            layers: isSliding.map {
                LayerCacheSpec(kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth, window: $0 ? window : nil)
            })
    }
}

extension Gemma3Configuration {
    /// - Source: transformers `models/gemma3/modeling_gemma3.py`.
    public func model(
        name: String, weights: some WeightSource, execution: Execution, mlaForm: MLAForm = .none,
        limits: Decoder.StepLimits = .init()
    ) throws -> Decoder {
        let embedding = try weights.linear([("model.embed_tokens.weight", vocabularySize)], cols: hiddenSize)
        let shape = CachedAttention.Shape(
            queryHeads: queryHeads, kvHeads: kvHeads, keyWidth: headWidth, valueWidth: headWidth,
            scale: Float(1 / queryScalar.squareRoot()), softcap: 0)
        let parts = Decoder.Parts(
            vocabularySize: vocabularySize, contextLimit: contextLimit, cacheSpec: cacheSpec(mlaForm: .none),
            // In 32 bits, as transformers does it in 32 bits; a bfloat16 model rounds the factor too.
            embeddingScale: Float(Double(hiddenSize).squareRoot()),
            embedding: embedding, keyRotations: keyRotations(mlaForm: .none),
            blocks: try (0..<layers).map { try block($0, shape, weights) },
            finalNorm: try norm("model.norm.weight", hiddenSize, weights),
            head: tiedEmbeddings
                ? embedding : try weights.linear([("lm_head.weight", vocabularySize)], cols: hiddenSize),
            logitSoftcap: logitSoftcap,
            widths: StepScratch.Widths(
                hidden: hiddenSize, projected: (queryHeads + 2 * kvHeads) * headWidth, mixed: queryHeads * headWidth,
                feedForward: 2 * ffnSize, rotary: [headWidth / 2, headWidth / 2],
                input: max(hiddenSize, ffnSize, queryHeads * headWidth)),
            attentionShape: shape)
        return try Decoder(
            name: name, weightsLabel: weights.label, identity: "\(self) \(weights.identity)", parts: parts,
            execution: execution, limits: limits)
    }

    private func block(_ layer: Int, _ shape: CachedAttention.Shape, _ weights: some WeightSource) throws -> TransformerBlock {
        let prefix = "model.layers.\(layer)."
        let attention = prefix + "self_attn."
        return TransformerBlock(
            inputNorm: try norm(prefix + "input_layernorm.weight", hiddenSize, weights),
            attention: try GroupedQueryAttention(
                attention, hiddenSize: hiddenSize, shape: shape, window: isSliding[layer] ? window : nil,
                rotary: isSliding[layer] ? 1 : 0, queryNorm: try norm(attention + "q_norm.weight", headWidth, weights),
                keyNorm: try norm(attention + "k_norm.weight", headWidth, weights), weights: weights),
            afterAttention: try norm(prefix + "post_attention_layernorm.weight", hiddenSize, weights),
            feedForwardNorm: try norm(prefix + "pre_feedforward_layernorm.weight", hiddenSize, weights),
            feedForward: try GatedMLP(
                prefix + "mlp.", hiddenSize: hiddenSize, width: ffnSize, activation: .geluTanh, weights: weights),
            afterFeedForward: try norm(prefix + "post_feedforward_layernorm.weight", hiddenSize, weights))
    }

    /// Weights are stored as differences from 1.
    private func norm(_ name: String, _ width: Int, _ weights: some WeightSource) throws -> Norm {
        Norm(weight: try weights.vector(name, count: width), offset: 1, epsilon: normEpsilon)
    }
}
