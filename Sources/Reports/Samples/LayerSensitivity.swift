import Results

/// The rows of the results table `sensitivity` of one model, scheme, layer, head and part.
struct LayerSensitivity {
    struct Window {
        var tokens: Int
        var kldSum: Double
        var agreements: Int
    }

    var model: String
    var scheme: String
    var baseScheme: String
    /// "keys", "values" or "both".
    var part: String
    /// nil: all layers at once.
    var layer: Int?
    /// nil: all heads.
    var head: Int?
    var windowTokens: Int
    var windows: [Window]

    var tokens: Int { windows.reduce(0) { $0 + $1.tokens } }
    var mean: Double { windows.reduce(0) { $0 + $1.kldSum } / Double(tokens) }

    /// Mean KL divergence in nats, drawn by whole windows. nil for fewer than two.
    var divergence: BootstrapEstimate? {
        Statistics.bootstrap(groups: [windows.count], plan: .init()) { drawn in
            let own = drawn[0].map { windows[$0] }
            return own.reduce(0) { $0 + $1.kldSum } / Double(own.reduce(0) { $0 + $1.tokens })
        }
    }

    /// "layer 3" or "layer 3, head 1".
    var subject: String {
        guard let layer else { return "all layers" }
        return "layer \(layer)" + (head.map { ", head \($0)" } ?? "")
    }

    /// All series in the order in which they first occur.
    static func all(_ table: ResultTable) throws -> [LayerSensitivity] {
        let texts = try ["model", "scheme", "part", "base_scheme"].map { try table.requiredStrings($0) }
        let counts = try ["layer", "window_tokens", "tokens_scored", "agreements"].map { try table.requiredInts($0) }
        let kld = try table.requiredDoubles("kld_sum")
        // Files from before single heads were measured have no such column.
        let heads = table.ints("head").map { $0.map(Int.init) } ?? Array(repeating: -1, count: table.rowCount)
        let keys = (0..<table.rowCount).map { row in texts[..<3].map { $0[row] } + ["\(counts[0][row])", "\(heads[row])"] }
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        return orderedSet(keys).map { key in
            let own = rows[key]!, first = own[0]
            return LayerSensitivity(
                model: key[0], scheme: key[1], baseScheme: texts[3][first], part: key[2],
                layer: counts[0][first] < 0 ? nil : counts[0][first], head: heads[first] < 0 ? nil : heads[first], windowTokens: counts[1][first],
                windows: own.map { Window(tokens: counts[2][$0], kldSum: kld[$0], agreements: counts[3][$0]) })
        }
    }
}
