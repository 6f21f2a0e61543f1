/// A model of the papers.
struct PublishedModel: Equatable {
    /// As in `datasets/paper/*.csv`.
    var id: String
    var title: String
    /// Names of the full-size shape; any other shape that stands for this model is scaled down, and its bytes say
    /// nothing of the published ones.
    var fullSizeShapes: [String]

    /// What P1 caches with: MLX affine, 4 bits, groups of 64.
    static let scheme = "affine-q4-g64"

    /// In the order of P1's tables.
    static let all = [
        PublishedModel(id: "gemma3-12b", title: "Gemma 3 12B", fullSizeShapes: ["gemma3-12b"]),
        PublishedModel(
            id: "deepseek-v2-lite", title: "DeepSeek-Coder-V2-Lite",
            fullSizeShapes: ["deepseek-v2-lite", "deepseek-coder-v2-lite"]),
        PublishedModel(id: "llama3.1-8b", title: "Llama 3.1 8B", fullSizeShapes: ["llama3.1-8b"]),
    ]

    static func named(_ id: String) -> PublishedModel? { all.first { $0.id == id } }

    /// The title of a published model, or the name itself.
    static func title(_ id: String) -> String { named(id)?.title ?? id }

    /// The model whose published bytes and agents `shape` must reproduce.
    static func fullSize(shape: String) -> PublishedModel? { all.first { $0.fullSizeShapes.contains(shape) } }
}
