import Foundation
import Tensors

extension GGUFConfiguration {
    /// Llama, and models of the same shape such as Mistral.
    func llama() throws -> [String: Any] {
        let heads = try integer("attention.head_count")
        guard heads > 0 else { throw bad("attention.head_count", "must be at least 1") }
        let width = try integer("attention.key_length", default: try integer("embedding_length") / heads)
        try require("attention.value_length", equals: width)
        try require("rope.dimension_count", equals: width)
        try require("expert_count", equals: 0)
        var object: [String: Any] = [
            "model_type": "llama", "hidden_act": "silu", "head_dim": width,
            "num_key_value_heads": try integer("attention.head_count_kv", default: heads),
            "rope_theta": try number("rope.freq_base", default: 10_000),
            "attention_bias": file.tensors["blk.0.attn_q.bias"] != nil,
        ]
        object["rope_scaling"] = try scaling() ?? frequencyScaling(width: width)
        return object
    }

    /// Gemma 3. Files do not hold the factor on queries: llama.cpp takes the head width, but for 62 layers, the 27B
    /// model, the hidden size over the heads.
    func gemma3() throws -> [String: Any] {
        let heads = try integer("attention.head_count")
        guard heads > 0 else { throw bad("attention.head_count", "must be at least 1") }
        let width = try integer("attention.key_length", default: 256)
        let layers = try integer("block_count")
        try require("attention.value_length", equals: width)
        var object: [String: Any] = [
            "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh", "head_dim": width,
            "num_key_value_heads": try integer("attention.head_count_kv", default: heads),
            "query_pre_attn_scalar": layers == 62 ? try integer("embedding_length") / heads : width,
            "rope_theta": try number("rope.freq_base", default: 1_000_000),
            "rope_local_base_freq": try number("rope.freq_base_swa", default: 10_000),
            "sliding_window": try integer("attention.sliding_window"),
        ]
        object["rope_scaling"] = try scaling()
        if has("final_logit_softcapping") { object["final_logit_softcapping"] = try number("final_logit_softcapping") }
        let pattern = "attention.sliding_window_pattern"
        if case .list? = file.metadata[key(pattern)] {
            object["layer_types"] = try file.bools(key(pattern))!.map { $0 ? "sliding_attention" : "full_attention" }
        } else {
            object["sliding_window_pattern"] = try integer(pattern, default: 6)
        }
        return object
    }

    /// DeepSeek-V2. Newer files give the widths of a head under names that end in `_mla`, older ones without.
    func deepSeek2() throws -> [String: Any] {
        let rope = try integer("rope.dimension_count")
        let width = try integer("attention.key_length_mla", default: try? integer("attention.key_length"))
        guard width > rope else {
            throw bad("rope.dimension_count", "(\(rope)) must be less than the key width \(width)")
        }
        let gating = try integer("expert_gating_func", default: 1)
        guard gating <= 1 else {
            throw ModelsError.unsupported(
                file: file.file.path, what: key("expert_gating_func"), found: "\(gating)", supported: ["1 (softmax)"])
        }
        let groups = try integer("expert_group_count", default: 1)
        var object: [String: Any] = [
            "model_type": "deepseek_v2", "hidden_act": "silu",
            "num_key_value_heads": try integer("attention.head_count"),
            "kv_lora_rank": try integer("attention.kv_lora_rank"), "q_lora_rank": NSNull(),
            "qk_rope_head_dim": rope, "qk_nope_head_dim": width - rope,
            "v_head_dim": try integer("attention.value_length_mla", default: try? integer("attention.value_length")),
            "moe_intermediate_size": try integer("expert_feed_forward_length"),
            "n_routed_experts": try integer("expert_count"), "n_shared_experts": try integer("expert_shared_count"),
            "num_experts_per_tok": try integer("expert_used_count"),
            "first_k_dense_replace": try integer("leading_dense_block_count", default: 0), "moe_layer_freq": 1,
            "routed_scaling_factor": try number("expert_weights_scale", default: 1),
            "norm_topk_prob": try file.bool(key("expert_weights_norm")) ?? false, "scoring_func": "softmax",
            "topk_method": groups > 1 ? "group_limited_greedy" : "greedy", "n_group": groups,
            "topk_group": try integer("expert_group_used_count", default: 1),
            "rope_theta": try number("rope.freq_base", default: 10_000), "attention_bias": false,
        ]
        if file.tensors["blk.0.attn_q_a.weight"] != nil {
            object["q_lora_rank"] = try integer("attention.q_lora_rank")
        }
        object["rope_scaling"] = try scaling()
        return object
    }
}
