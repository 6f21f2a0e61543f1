import Tensors

/// Architectures of GGUF files that can be read, by `general.architecture`.
enum GGUFArchitecture: String, CaseIterable {
    case llama, gemma3, deepseek2

    /// Where a HuggingFace tensor lies.
    struct Place {
        enum Heads { case query, key }

        let tensor: String
        /// Part of a stack of experts.
        var expert: Int?
        /// Its rows are interleaved within each head.
        var interleaved: Heads?
        /// It is to be put together from `attn_k_b`, named here, and `attn_v_b`.
        var isLatent = false
    }

    /// - Throws: ``TensorsError/missingTensor(file:tensor:)`` for a name that the architecture does not have.
    func place(of name: String, in file: GGUFFile) throws -> Place {
        guard var place = place(of: name) else {
            throw TensorsError.missingTensor(file: file.file.path, tensor: name)
        }
        if place.tensor.hasSuffix(".attn_kv_b.weight"), file.tensors[place.tensor] == nil {
            place = Place(tensor: place.tensor.replacing("attn_kv_b", with: "attn_k_b"), isLatent: true)
        }
        return place
    }

    /// Where a tensor is written; nil for a name that the architecture does not have.
    func place(of name: String) -> Place? {
        switch name {
        case "model.embed_tokens.weight": return Place(tensor: "token_embd.weight")
        case "model.norm.weight": return Place(tensor: "output_norm.weight")
        case "lm_head.weight": return Place(tensor: "output.weight")
        default: break
        }
        let parts = name.split(separator: ".", maxSplits: 3).map(String.init)
        guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]),
            let (part, expert) = split(parts[3]), let stored = tensors[part]
        else { return nil }
        var place = Place(tensor: "blk.\(layer).\(stored).weight", expert: expert)
        switch (self, stored) {
        case (.llama, "attn_q"): place.interleaved = .query
        case (.llama, "attn_k"): place.interleaved = .key
        default: break
        }
        return place
    }

    /// What turns a stored norm into HuggingFace's: Gemma's files hold 1 + weight.
    func normShift(_ name: String) -> Float { self == .gemma3 && name.hasSuffix("norm.weight") ? -1 : 0 }

    /// "mlp.experts.7.up_proj.weight" is ("mlp.experts.up_proj", 7); nil unless it is a weight.
    private func split(_ name: String) -> (String, Int?)? {
        guard name.hasSuffix(".weight") else { return nil }
        var parts = name.dropLast(".weight".count).split(separator: ".").map(String.init)
        guard let index = parts.firstIndex(of: "experts"), index + 1 < parts.count else {
            return (parts.joined(separator: "."), nil)
        }
        guard let expert = Int(parts[index + 1]) else { return nil }
        parts.remove(at: index + 1)
        return (parts.joined(separator: "."), expert)
    }

    private static let common = [
        "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    ]

    /// Tensors of a layer by their HuggingFace names.
    private var tensors: [String: String] {
        let own: [String: String] =
            switch self {
            case .llama:
                [
                    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
                    "post_attention_layernorm": "ffn_norm",
                ]
            case .gemma3:
                [
                    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.q_norm": "attn_q_norm",
                    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "post_attention_norm",
                    "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
                ]
            case .deepseek2:
                [
                    "self_attn.q_a_proj": "attn_q_a", "self_attn.q_a_layernorm": "attn_q_a_norm",
                    "self_attn.q_b_proj": "attn_q_b", "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
                    "self_attn.kv_a_layernorm": "attn_kv_a_norm", "self_attn.kv_b_proj": "attn_kv_b",
                    "post_attention_layernorm": "ffn_norm", "mlp.gate": "ffn_gate_inp",
                    "mlp.experts.gate_proj": "ffn_gate_exps", "mlp.experts.up_proj": "ffn_up_exps",
                    "mlp.experts.down_proj": "ffn_down_exps", "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
                    "mlp.shared_experts.up_proj": "ffn_up_shexp", "mlp.shared_experts.down_proj": "ffn_down_shexp",
                ]
            }
        return Self.common.merging(own) { $1 }
    }
}
