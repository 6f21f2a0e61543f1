import Results

/// One row of the results table `capacity`: how many agents of one context fit a budget.
struct CapacityRow: Equatable {
    var shape: String
    var paperModel: String
    /// "fp16" or a quantized scheme.
    var scheme: String
    var contextTokens: Int
    /// "full": windowed layers keep every token, as in P1; "window": they keep their window.
    var windowPolicy: String
    /// "expanded", as in P1, "latent", or "none" for a model without MLA.
    var mlaForm: String
    var budgetLabel: String
    var budgetBytes: Int
    var bytesPerAgentComputed: Int
    var agentsComputed: Int
    /// nil where the profile does not measure.
    var agentsMeasured: Int?
    var bytesPerAgentMeasured: Int?
    var poolBytesMeasured: Int?
    var rssGrowthBytes: Int?
    var note: String

    /// True for the way in which P1 keeps caches.
    var isAsPublished: Bool { windowPolicy == "full" && mlaForm != "latent" }

    static func all(in table: ResultTable) throws -> [CapacityRow] {
        let shape = try table.requiredStrings("shape")
        let paperModel = try table.requiredStrings("paper_model")
        let scheme = try table.requiredStrings("scheme")
        let context = try table.requiredInts("context_tokens")
        let windowPolicy = try table.requiredStrings("window_policy")
        let mlaForm = try table.requiredStrings("mla_form")
        let budgetLabel = try table.requiredStrings("budget_label")
        let budgetBytes = try table.requiredInts("budget_bytes")
        let bytesComputed = try table.requiredInts("bytes_per_agent_computed")
        let agentsComputed = try table.requiredInts("agents_computed")
        let agentsMeasured = try table.requiredInts("agents_measured")
        let bytesMeasured = try table.requiredInts("bytes_per_agent_measured")
        let poolBytes = try table.requiredInts("pool_bytes_measured")
        let rssGrowth = try table.requiredInts("rss_growth_bytes")
        let note = try table.requiredStrings("note")
        func present(_ n: Int) -> Int? { n < 0 ? nil : n }
        return (0..<table.rowCount).map { row in
            // RSS may shrink, so its growth is present exactly where agents were measured.
            let measured = present(agentsMeasured[row]) != nil
            return CapacityRow(
                shape: shape[row], paperModel: paperModel[row], scheme: scheme[row], contextTokens: context[row],
                windowPolicy: windowPolicy[row], mlaForm: mlaForm[row], budgetLabel: budgetLabel[row],
                budgetBytes: budgetBytes[row], bytesPerAgentComputed: bytesComputed[row],
                agentsComputed: agentsComputed[row], agentsMeasured: present(agentsMeasured[row]),
                bytesPerAgentMeasured: present(bytesMeasured[row]), poolBytesMeasured: present(poolBytes[row]),
                rssGrowthBytes: measured ? rssGrowth[row] : nil, note: note[row])
        }
    }
}

/// FP16 and quantized side by side: the two rows that differ in nothing but the scheme.
struct CapacityPair {
    var fp16: CapacityRow?
    var quantized: CapacityRow?

    /// Whichever is there, for what both share.
    var shared: CapacityRow { (fp16 ?? quantized)! }

    private struct Place: Hashable {
        var shape: String
        var contextTokens: Int
        var windowPolicy: String
        var mlaForm: String
        var budgetLabel: String

        init(_ row: CapacityRow) {
            shape = row.shape
            contextTokens = row.contextTokens
            windowPolicy = row.windowPolicy
            mlaForm = row.mlaForm
            budgetLabel = row.budgetLabel
        }
    }

    /// Pairs in the order in which they first occur; several quantized schemes are paired with the same FP16 row.
    /// - Throws: ``ReportsError/inconsistent(table:problem:)`` when a row occurs twice.
    static func all(_ rows: [CapacityRow]) throws -> [CapacityPair] {
        let groups = Dictionary(grouping: rows, by: Place.init)
        return try orderedSet(rows.map(Place.init)).flatMap { place in
            let group = groups[place]!
            for scheme in orderedSet(group.map(\.scheme)) where group.count(where: { $0.scheme == scheme }) > 1 {
                let what = "\(place.shape), \(scheme), \(place.contextTokens) tokens, \(place.budgetLabel)"
                throw ReportsError.inconsistent(table: "capacity", problem: "\(what) occurs twice")
            }
            let fp16 = group.first { $0.scheme == "fp16" }
            let quantized = group.filter { $0.scheme != "fp16" }
            guard !quantized.isEmpty else { return [CapacityPair(fp16: fp16, quantized: nil)] }
            return quantized.map { CapacityPair(fp16: fp16, quantized: $0) }
        }
    }
}

/// The elements of `list`, each once, in the order in which they first occur.
func orderedSet<T: Hashable>(_ list: [T]) -> [T] {
    var seen: Set<T> = []
    return list.filter { seen.insert($0).inserted }
}
