import Foundation

/// What a figure needs of a model's shape: `experiments/shapes/<name>.json`, which is the model's own config.json.
struct ShapeSpec: Equatable, Decodable {
    var modelType: String
    var hiddenSize: Int
    var numHiddenLayers: Int
    var numAttentionHeads: Int
    var numKeyValueHeads: Int
    var headDim: Int?
    var slidingWindow: Int?
    var slidingWindowPattern: Int?
    var kvLoraRank: Int?
    var qkNopeHeadDim: Int?
    var qkRopeHeadDim: Int?
    var vHeadDim: Int?
    var nRoutedExperts: Int?
    var numExpertsPerTok: Int?
    var firstKDenseReplace: Int?

    /// Elements of a key and of a value of one head, MLA expanded.
    var keyWidth: Int { qkNopeHeadDim.flatMap { nope in qkRopeHeadDim.map { nope + $0 } } ?? valueWidth }
    var valueWidth: Int { vHeadDim ?? headDim ?? hiddenSize / numAttentionHeads }

    /// What a layer keeps of a token's past: "all tokens", "the last 1024 tokens", and whether its feed-forward part is a
    /// mixture of experts.
    func kind(layer: Int) -> String {
        if let slidingWindow, let pattern = slidingWindowPattern, (layer + 1) % pattern != 0 {
            return "the last \(NumberText.context(slidingWindow)) tokens"
        }
        guard nRoutedExperts != nil, let dense = firstKDenseReplace else { return "all tokens" }
        return layer < dense ? "all tokens" : "all tokens; mixture of experts"
    }

    /// Bytes of a token in one layer: 2 of FP16 for each element; 0.5625 of Q4, whose groups of 64 have 32 bytes of nibbles,
    /// a scale and a bias of 2 bytes each.
    func parts(width: Int, isQuantized: Bool) -> [(name: String, bytes: Double)] {
        let elements = Double(numKeyValueHeads * width)
        return isQuantized
            ? [("4 bits", elements / 2), ("scales and biases", elements / 64 * 4)] : [("16 bits", elements * 2)]
    }

    /// The shape of a file.
    /// - Throws: ``ReportsError/unreadable(file:reason:)``.
    static func read(_ file: String) throws -> ShapeSpec {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ReportsError.unreadable(file: file, reason: "there is no such file")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(ShapeSpec.self, from: data)
        } catch {
            throw ReportsError.unreadable(file: file, reason: "it is not the configuration of a model")
        }
    }

    /// The published models that have a full-size shape, in the order of the paper.
    /// - Parameter folder: of the shapes; nothing is read where there is none.
    static func published(in folder: String) throws -> [(model: PublishedModel, shape: ShapeSpec)] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try PublishedModel.all.compactMap { model in
            let file = model.fullSizeShapes.map { "\(folder)/\($0).json" }.first { FileManager.default.fileExists(atPath: $0) }
            return try file.map { (model, try read($0)) }
        }
    }
}
