/// A block as titles and captions name it, all of it read from the rows.
extension TTFTBlock {
    /// The model or shape, and what tells this block from another of the same shape.
    func panelTitle(among blocks: [TTFTBlock]) -> String {
        let name = PublishedModel.fullSize(shape: key.shape)?.title ?? key.shape
        let alike = blocks.filter { $0.key.shape == key.shape }
        guard alike.count > 1 else { return name }
        return Set(alike.map(\.key.scheme)).count > 1 ? "\(name), \(key.scheme)" : "\(name), \(key.weights)"
    }

    /// What was run, in one sentence.
    var description: String {
        let stands =
            switch PublishedModel.named(key.paperModel) {
            case nil: key.paperModel.isEmpty ? "" : ", which stands for \(key.paperModel)"
            case let model? where model.fullSizeShapes.contains(key.shape): ", the full size of \(model.title)"
            case let model?: ", scaled down, which stands for \(model.title)"
            }
        let context =
            samples.values.joined().contains(where: \.hasRandomContext)
            ? " The rows of the context are random: no request computed them, and there is no cold one." : ""
        return "Shape \(key.shape)\(stands); weights \(key.weights); cache \(key.scheme); \(key.protocolName) protocol.\(context)"
    }

    /// "2 threads, avx2": as the rows have it.
    var hardware: String {
        let all = samples.values.joined()
        let threads = Set(all.map(\.threads)).sorted().map(String.init).joined(separator: " or ")
        let isa = Set(all.map(\.isa)).sorted().joined(separator: " or ")
        return "\(threads) thread\(threads == "1" ? "" : "s"), \(isa)"
    }

    /// What must be said of failed requests.
    var failureNotes: [String] {
        switch failedCount {
        case 0: []
        case 1: ["1 request without a first token is not counted above."]
        default: ["\(failedCount) requests without a first token are not counted above."]
        }
    }

    /// Whether caches that were saved, evicted and loaded gave the tokens of one that never left memory.
    var sameTokensNotes: [String] {
        let compared = samples.values.joined().compactMap(\.sameTokens)
        guard !compared.isEmpty else { return [] }
        let same = compared.count { $0 }
        return [
            "Tokens after a restored cache equal those of a cache that was never saved in \(same) of \(compared.count)"
                + " warm and hot requests."
        ]
    }
}
