/// How a folder's tensors are called, for the names that a text model asks for.
///
/// A multimodal checkpoint holds the text model under a name of its own; mlx-lm stacks experts, `mlp.experts.7.up_proj`
/// being part 7 of `mlp.switch_mlp.up_proj`.
/// - Source: transformers `models/gemma3/modeling_gemma3.py`; mlx-lm `models/deepseek_v2.py`, `sanitize`.
struct FolderNames {
    /// A tensor, and which part of a stack.
    struct Place {
        let tensor: String
        var expert: Int?
    }

    /// What "model." of a text model's name is in the files.
    private let model: String
    /// What comes before "lm_head." in the files.
    private let head: String

    init(tensors: some Collection<String>) {
        let embedding = "embed_tokens.weight"
        for (model, head) in [("language_model.model.", "language_model."), ("model.language_model.", "")]
        where tensors.contains(where: { $0 == model + embedding }) {
            self.model = model
            self.head = head
            return
        }
        model = "model."
        head = ""
    }

    func stored(_ name: String) -> String {
        name.hasPrefix("model.") ? model + name.dropFirst("model.".count) : head + name
    }

    /// Must a text model read this tensor? All but frequencies that follow from the configuration, a head that may be
    /// tied to the embedding, and what belongs to other parts of a multimodal model. MLX keeps scales and biases beside
    /// the weights.
    func isRequired(_ tensor: String) -> Bool {
        tensor.hasPrefix(model) && !tensor.hasSuffix(".rotary_emb.inv_freq")
    }

    /// Is this a matrix or a vector of the text model?
    func isWeight(_ tensor: String) -> Bool {
        tensor == head + "lm_head.weight" || isRequired(tensor) && tensor.hasSuffix(".weight")
    }

    /// - Parameter exists: is there such a tensor?
    func place(of name: String, exists: (String) -> Bool) -> Place {
        let stored = stored(name)
        let parts = stored.split(separator: ".", omittingEmptySubsequences: false)
        guard !exists(stored), let index = parts.lastIndex(of: "experts"), index + 1 < parts.count,
            let expert = Int(parts[index + 1])
        else { return Place(tensor: stored) }
        let stacked = (parts[..<index] + ["switch_mlp"] + parts[(index + 2)...]).joined(separator: ".")
        return exists(stacked) ? Place(tensor: stacked, expert: expert) : Place(tensor: stored)
    }

    /// What the names of matrices that choose experts end in.
    static let router = ".mlp.gate.weight"

    /// "a.b.weight" is of module "a.b".
    static func module(_ weight: String) -> String { String(weight.dropLast(".weight".count)) }

    /// The module's tensor of another kind: "a.b.scales".
    static func sibling(_ weight: String, _ kind: String) -> String { module(weight) + "." + kind }
}
