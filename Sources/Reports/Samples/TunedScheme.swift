import Results

/// The rows of the results table `tune` of one model and scheme.
struct TunedScheme {
    var model: String
    var baseScheme: String
    var scheme: String
    /// nil for a candidate on all layers.
    var budget: Double?
    var bits: Double
    var predicted: Double
    var windowTokens: Int
    var texts: [String]
    /// Tokens and the sum of their divergences, by window in one order for all schemes of a model.
    var windows: [(tokens: Int, sum: Double)]

    var tokens: Int { windows.reduce(0) { $0 + $1.tokens } }
    var mean: Double { windows.reduce(0) { $0 + $1.sum } / Double(tokens) }

    /// Mean KL divergence in nats, drawn by whole windows. nil for fewer than two.
    var divergence: BootstrapEstimate? {
        Statistics.bootstrap(groups: [windows.count], plan: .init()) { drawn in
            Self.mean(drawn[0].map { windows[$0] })
        }
    }

    /// The mean divergence over that of another scheme on the same windows, drawn together.
    func ratio(to other: TunedScheme) -> BootstrapEstimate? {
        guard windows.count == other.windows.count else { return nil }
        return Statistics.bootstrap(groups: [windows.count], plan: .init()) { drawn in
            Self.mean(drawn[0].map { windows[$0] }) / Self.mean(drawn[0].map { other.windows[$0] })
        }
    }

    private static func mean(_ windows: [(tokens: Int, sum: Double)]) -> Double {
        windows.reduce(0) { $0 + $1.sum } / Double(windows.reduce(0) { $0 + $1.tokens })
    }

    /// All in the order in which they first occur.
    static func all(_ table: ResultTable) throws -> [TunedScheme] {
        let texts = try ["model", "kind", "scheme", "base_scheme", "text"].map { try table.requiredStrings($0) }
        let counts = try ["window_tokens", "tokens_scored"].map { try table.requiredInts($0) }
        let numbers = try ["budget_bits", "bits_per_element", "predicted_kld", "kld_sum"].map { try table.requiredDoubles($0) }
        let keys = (0..<table.rowCount).map { row in texts[..<3].map { $0[row] } + ["\(numbers[0][row])"] }
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        return orderedSet(keys).map { key in
            let own = rows[key]!, first = own[0]
            return TunedScheme(
                model: key[0], baseScheme: texts[3][first], scheme: key[2], budget: key[1] == "map" ? numbers[0][first] : nil,
                bits: numbers[1][first], predicted: numbers[2][first], windowTokens: counts[0][first],
                texts: orderedSet(own.map { texts[4][$0] }), windows: own.map { (counts[1][$0], numbers[3][$0]) })
        }
    }
}
