import Caches
import Foundation
import Tensors

/// The metadata of a GGUF file for a model: what ``GGUFConfiguration`` reads, and llama.cpp.
///
/// What the format cannot say is refused, so that nobody runs another model than the one that was meant.
/// - Source: llama.cpp `conversion/base.py`, `llama.py`, `gemma.py`, `deepseek.py`, and the readers in `src/models/`.
struct GGUFMetadata {
    let architecture: GGUFArchitecture
    private(set) var keys: [(key: String, value: GGUFWriter.Value)] = []
    /// Factors on rotary frequencies, the tensor `rope_freqs.weight`; nil for none.
    private(set) var frequencyFactors: [Float]?

    private let file: ConfigurationFile

    /// - Parameters:
    ///   - mlaForm: `latent` for the form that llama.cpp computes in the latent space, `expanded` for that of older
    ///     files, which keeps the keys and values of every head.
    /// - Throws: ``ModelsError/cannotExport(file:reason:)`` for what the format or llama.cpp does not have.
    init(_ configuration: any ModelConfiguration, file outer: ConfigurationFile, name: String, mlaForm: MLAForm) throws {
        // As Gemma's configuration does.
        file = try outer.object("text_config") ?? outer
        switch configuration {
        case let llama as LlamaConfiguration:
            architecture = .llama
            start(name)
            try add(llama)
        case let gemma as Gemma3Configuration:
            architecture = .gemma3
            start(name)
            try add(gemma)
        case let deepSeek as DeepSeekV2Configuration:
            architecture = .deepseek2
            start(name)
            try add(deepSeek, mlaForm: mlaForm)
        default:
            throw ModelsError.cannotExport(
                file: outer.path, reason: "GGUF files are written of \(GGUFArchitecture.allCases.map(\.rawValue).joined(separator: ", ")) only")
        }
    }

    mutating func set(_ key: String, _ value: GGUFWriter.Value) { keys.append((key, value)) }

    private mutating func start(_ name: String) {
        set("general.architecture", .text(architecture.rawValue))
        set("general.name", .text(name))
    }

    private mutating func add(_ key: String, _ value: GGUFWriter.Value) { set("\(architecture.rawValue).\(key)", value) }
    private mutating func add(_ key: String, _ value: Int) { add(key, .uint32(UInt32(value))) }
    private mutating func add(_ key: String, _ value: Double) { add(key, .float32(Float(value))) }

    private func refuse(_ reason: String) -> ModelsError { .cannotExport(file: file.path, reason: reason) }

    // MARK: Architectures

    private mutating func addSizes(
        layers: Int, contextLimit: Int, hiddenSize: Int, ffnSize: Int, queryHeads: Int, kvHeads: Int, epsilon: Float,
        vocabularySize: Int
    ) {
        add("block_count", layers)
        add("context_length", contextLimit)
        add("embedding_length", hiddenSize)
        add("feed_forward_length", ffnSize)
        add("attention.head_count", queryHeads)
        add("attention.head_count_kv", kvHeads)
        add("attention.layer_norm_rms_epsilon", .float32(epsilon))
        add("vocab_size", vocabularySize)
    }

    private mutating func add(_ model: LlamaConfiguration) throws {
        addSizes(
            layers: model.layers, contextLimit: model.contextLimit, hiddenSize: model.hiddenSize, ffnSize: model.ffnSize,
            queryHeads: model.queryHeads, kvHeads: model.kvHeads, epsilon: model.normEpsilon,
            vocabularySize: model.vocabularySize)
        add("attention.key_length", model.headWidth)
        add("attention.value_length", model.headWidth)
        add("rope.dimension_count", model.headWidth)
        try addPositions(
            RotaryParameters(file, contextLimit: model.contextLimit, defaultBase: 10_000), width: model.headWidth)
    }

    /// llama.cpp takes the root of the head width as the factor on queries, but for 62 layers.
    private mutating func add(_ model: Gemma3Configuration) throws {
        let scalar = model.layers == 62 ? model.hiddenSize / model.queryHeads : model.headWidth
        guard model.queryScalar == Double(scalar) else {
            throw refuse("query_pre_attn_scalar is \(model.queryScalar), and GGUF files have no key for anything but \(scalar)")
        }
        addSizes(
            layers: model.layers, contextLimit: model.contextLimit, hiddenSize: model.hiddenSize, ffnSize: model.ffnSize,
            queryHeads: model.queryHeads, kvHeads: model.kvHeads, epsilon: model.normEpsilon,
            vocabularySize: model.vocabularySize)
        add("attention.key_length", model.headWidth)
        add("attention.value_length", model.headWidth)
        add("attention.sliding_window", model.window)
        add("attention.sliding_window_pattern", .bools(model.isSliding))
        if model.logitSoftcap > 0 { add("final_logit_softcapping", .float32(model.logitSoftcap)) }
        let positions = try Gemma3Configuration.positions(file, contextLimit: model.contextLimit)
        guard positions.sliding.type == "default" else {
            throw refuse("positions of sliding layers are scaled (\(positions.sliding.type)), which GGUF files cannot say")
        }
        add("rope.freq_base_swa", positions.sliding.base)
        try addPositions(positions.global, width: model.headWidth)
    }

    private mutating func add(_ model: DeepSeekV2Configuration, mlaForm: MLAForm) throws {
        guard model.normEpsilon == 1e-6 else {
            throw refuse("rms_norm_eps is \(model.normEpsilon), and llama.cpp would take it for compressed rows too, whose is 1e-06")
        }
        let keyWidth = model.nopeWidth + model.ropeWidth
        addSizes(
            layers: model.layers, contextLimit: model.contextLimit, hiddenSize: model.hiddenSize, ffnSize: model.ffnSize,
            queryHeads: model.heads, kvHeads: mlaForm == .latent ? 1 : model.heads, epsilon: model.normEpsilon,
            vocabularySize: model.vocabularySize)
        if mlaForm == .latent {
            add("attention.key_length", model.latentWidth + model.ropeWidth)
            add("attention.value_length", model.latentWidth)
            add("attention.key_length_mla", keyWidth)
            add("attention.value_length_mla", model.valueWidth)
        } else {
            add("attention.key_length", keyWidth)
            add("attention.value_length", model.valueWidth)
        }
        add("attention.kv_lora_rank", model.latentWidth)
        // llama.cpp wants the key, 0 for queries that are not compressed, unless there are 26 or 27 layers.
        add("attention.q_lora_rank", model.queryLatentWidth ?? 0)
        add("rope.dimension_count", model.ropeWidth)
        add("leading_dense_block_count", model.denseLayers)
        let experts = model.experts
        add("expert_feed_forward_length", experts.ffnSize)
        add("expert_count", experts.count)
        add("expert_used_count", experts.chosen)
        add("expert_shared_count", experts.sharedFfnSize / experts.ffnSize)
        add("expert_weights_scale", .float32(experts.scale))
        add("expert_weights_norm", .bool(false))
        add("expert_gating_func", 1)
        if experts.groups > 1 {
            add("expert_group_count", experts.groups)
            add("expert_group_used_count", experts.chosenGroups)
        }
        try addPositions(
            RotaryParameters(file, contextLimit: model.contextLimit, defaultBase: 10_000), width: model.ropeWidth)
    }

    // MARK: Positions

    private mutating func addPositions(_ positions: RotaryParameters, width: Int) throws {
        add("rope.freq_base", positions.base)
        switch positions.type {
        case "linear":
            guard architecture != .deepseek2 else {
                throw refuse("its positions are scaled linearly, which llama.cpp takes for YaRN in DeepSeek")
            }
            add("rope.scaling.type", .text("linear"))
            add("rope.scaling.factor", try positions.factor())
        case "llama3":
            let object = positions.object
            guard try positions.originalContextLimit() == 8192, try object.double("low_freq_factor") == 1,
                try object.double("high_freq_factor") == 4
            else {
                throw refuse(
                    "its llama3 scaling is not from 8192 tokens with factors 1 and 4, which is what GGUF files' factors are"
                        + " taken for")
            }
            let scaled = try RotaryEmbedding(positions, width: width).frequencies
            frequencyFactors = scaled.enumerated().map { index, frequency in
                Float(pow(positions.base, -Double(2 * index) / Double(width)) / Double(frequency))
            }
        case "yarn": try addYarn(positions)
        default: break
        }
    }

    /// The file holds a tenth of `mscale_all_dim`, and no `mscale`, which llama.cpp takes for equal.
    private mutating func addYarn(_ positions: RotaryParameters) throws {
        let object = positions.object
        guard !object.has("attention_factor"), positions.truncate else {
            throw refuse("its YaRN has an attention_factor or an untruncated ramp, which GGUF files cannot say")
        }
        let scales = try ["mscale", "mscale_all_dim"].map { try object.double($0, default: 0) }
        guard scales[0] == scales[1] else {
            throw refuse("its YaRN has mscale \(scales[0]) and mscale_all_dim \(scales[1]), and llama.cpp takes them for equal")
        }
        guard (architecture == .deepseek2) == (scales[1] != 0) else {
            throw refuse(
                architecture == .deepseek2
                    ? "its YaRN has no mscale_all_dim, without which llama.cpp scales DeepSeek's scores otherwise"
                    : "its YaRN has mscale_all_dim, which llama.cpp knows of DeepSeek only")
        }
        add("rope.scaling.type", .text("yarn"))
        add("rope.scaling.factor", try positions.yarnFactor())
        add("rope.scaling.original_context_length", Int(try positions.originalContextLimit()))
        add("rope.scaling.yarn_beta_fast", try object.double("beta_fast", default: 32))
        add("rope.scaling.yarn_beta_slow", try object.double("beta_slow", default: 1))
        if scales[1] != 0 { add("rope.scaling.yarn_log_multiplier", scales[1] / 10) }
    }
}
