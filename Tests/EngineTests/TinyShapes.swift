/// Small models of each class, with rows that every kernel takes.
enum TinyShape: String, CaseIterable, Sendable {
    case llama, gemma, deepseek

    /// Its `config.json`. Gemma's window of 100 tokens ends within tiles and blocks.
    var configuration: String {
        switch self {
        case .llama:
            """
            {"model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 3,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000,
             "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
             "tie_word_embeddings": true}
            """
        case .gemma:
            """
            {"model_type": "gemma3_text", "hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 4,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000,
             "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "hidden_activation": "gelu_pytorch_tanh",
             "query_pre_attn_scalar": 64, "sliding_window": 100, "sliding_window_pattern": 2, "rope_theta": 50000.0,
             "rope_local_base_freq": 5000.0, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}
            """
        case .deepseek:
            """
            {"model_type": "deepseek_v2", "hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2,
             "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 1000, "kv_lora_rank": 64,
             "q_lora_rank": null, "qk_nope_head_dim": 64, "qk_rope_head_dim": 64, "v_head_dim": 64,
             "first_k_dense_replace": 1, "moe_intermediate_size": 64, "n_routed_experts": 5, "n_shared_experts": 1,
             "num_experts_per_tok": 2, "n_group": null, "topk_group": null, "topk_method": "greedy",
             "routed_scaling_factor": 1.0, "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "head_dim": 64,
             "rope_parameters": {"factor": 4.0, "mscale": 0.707, "mscale_all_dim": 0.707,
             "original_max_position_embeddings": 2048, "rope_theta": 10000.0, "rope_type": "yarn", "type": "yarn"},
             "tie_word_embeddings": false}
            """
        }
    }
}
