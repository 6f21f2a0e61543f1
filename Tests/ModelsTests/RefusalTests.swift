import Foundation
import Models
import Testing

/// What a configuration asks for and no model here does is refused by name.
@Suite struct RefusalTests {
    static let llama: [String: any Sendable] = [
        "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
        "num_attention_heads": 4, "vocab_size": 100,
    ]
    static let gemma: [String: any Sendable] = [
        "model_type": "gemma3_text", "num_hidden_layers": 2, "sliding_window": 8,
    ]
    static let deepSeek: [String: any Sendable] = [
        "model_type": "deepseek_v2", "num_hidden_layers": 2, "num_attention_heads": 4, "num_experts_per_tok": 2,
    ]

    private func message(_ base: [String: any Sendable], _ key: String, _ value: any Sendable) throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).json"
        let object = base.merging([key: value]) { $1 }
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            _ = try ModelRegistry.configuration(path: path)
            return "no error"
        } catch let error as ModelsError {
            return error.description.replacingOccurrences(of: path, with: "config.json")
        }
    }

    @Test(arguments: ["llama", "gemma", "deepseek"])
    func everyArchitecture(name: String) throws {
        let base = name == "llama" ? Self.llama : name == "gemma" ? Self.gemma : Self.deepSeek
        #expect(try message(base, "unknown_key", 1) == "no error")
        #expect(try message(base, "rope_scaling", ["type": "dynamic"])
            == "config.json: rope_scaling.type 'dynamic' is not supported; supported: default, linear, llama3, yarn.")
        #expect(try message(base, "rope_scaling", ["rope_type": "linear"]) == "config.json: 'rope_scaling.factor' is missing.")
        #expect(try message(base, "rope_scaling", ["factor": 0, "rope_type": "linear"] as [String: any Sendable])
            == "config.json: 'rope_scaling.factor' must be positive.")
        #expect(try message(base, "rope_scaling", ["partial_rotary_factor": 0.5, "rope_type": "yarn"] as [String: any Sendable])
            == "config.json: rope_scaling.partial_rotary_factor '0.5' is not supported; supported: 1.")
        #expect(try message(base, "attention_bias", true)
            == "config.json: attention_bias 'true' is not supported; supported: false.")
    }

    static let cases: [(base: [String: any Sendable], key: String, value: any Sendable, message: String)] = [
        (llama, "hidden_act", "gelu", "hidden_act 'gelu' is not supported; supported: silu."),
        (llama, "mlp_bias", true, "mlp_bias 'true' is not supported; supported: false."),
        (llama, "use_sliding_window", true, "use_sliding_window 'true' is not supported; supported: false."),
        (llama, "partial_rotary_factor", 0.5, "partial_rotary_factor '0.5' is not supported; supported: 1."),
        (llama, "rope_theta", 0, "'rope_theta' must be larger than 1."),
        (llama, "head_dim", 63, "'head_dim' (63) must be even, from 2 to 65536."),
        (llama, "num_attention_heads", 1024, "'head_dim' (0) must be even, from 2 to 65536."),
        // Found by fuzzing: an integer overflow, and memory for each before any weight was seen.
        (deepSeek, "num_key_value_heads", Int.max, "num_key_value_heads '9.223372036854776e+18' is not supported; supported: 4."),
        (llama, "head_dim", 1 << 24, "'head_dim' is 16777216, more than the largest believable number, 65536."),
        (gemma, "num_hidden_layers", 1 << 24, "'num_hidden_layers' is 16777216, more than the largest believable number, 65536."),
        (gemma, "hidden_activation", "silu", "hidden_activation 'silu' is not supported; supported: gelu_pytorch_tanh."),
        (gemma, "use_bidirectional_attention", true, "use_bidirectional_attention 'true' is not supported; supported: false."),
        (gemma, "sliding_window", NSNull(), "'sliding_window' is missing."),
        (gemma, "layer_types", ["full_attention"], "'layer_types' names 1 layers of 2."),
        (gemma, "layer_types", ["full_attention", "linear_attention"],
            "layer_types 'linear_attention' is not supported; supported: sliding_attention, full_attention."),
        (gemma, "rope_parameters", ["rope_theta": 10000.0],
            "'rope_parameters' has neither 'full_attention' nor 'sliding_attention'."),
        (gemma, "rope_parameters", ["sliding_attention": ["rope_type": "longrope"]],
            "rope_parameters.sliding_attention.rope_type 'longrope' is not supported; supported: default, linear, llama3, yarn."),
        (gemma, "num_key_value_heads", 3, "'num_key_value_heads' (3) must divide num_attention_heads (8)."),
        (gemma, "query_pre_attn_scalar", 0, "'query_pre_attn_scalar' must be positive."),
        (deepSeek, "hidden_act", "gelu", "hidden_act 'gelu' is not supported; supported: silu."),
        (deepSeek, "mlp_bias", true, "mlp_bias 'true' is not supported; supported: false."),
        (deepSeek, "use_mla", false, "use_mla 'false' is not supported; supported: true."),
        (deepSeek, "scoring_func", "sigmoid", "scoring_func 'sigmoid' is not supported; supported: softmax."),
        (deepSeek, "topk_method", "noaux_tc",
            "topk_method 'noaux_tc' is not supported; supported: greedy, group_limited_greedy."),
        (deepSeek, "topk_method", "group_limited_greedy", "'n_group' is missing."),
        (deepSeek, "moe_layer_freq", 2, "moe_layer_freq '2' is not supported; supported: 1."),
        (deepSeek, "num_key_value_heads", 2, "num_key_value_heads '2' is not supported; supported: 4."),
        (deepSeek, "num_experts_per_tok", 65, "'num_experts_per_tok' (65) is more than n_routed_experts (64)."),
        (deepSeek, "num_experts_per_tok", NSNull(), "'num_experts_per_tok' is missing."),
        (deepSeek, "qk_rope_head_dim", 7, "'qk_rope_head_dim' (7) must be even, from 2 to 65536."),
    ]

    @Test(arguments: cases.indices)
    func key(index: Int) throws {
        let (base, key, value, expected) = Self.cases[index]
        #expect(try message(base, key, value) == "config.json: \(expected)")
    }
}
