import Results

/// The rows of the results table `drift` of one model, way and scheme.
struct DriftSeries {
    /// One document: KL divergence in nats and agreement of each place, in order.
    struct Document {
        var kld: [Double]
        var agrees: [Bool]
    }

    var model: String
    var way: String
    var scheme: String
    var baseScheme: String
    var promptTokens: Int
    var documents: [Document]

    /// Places of the shortest document.
    var places: Int { documents.map(\.kld.count).min() ?? 0 }

    /// The mean divergence of places in `range`, counted from 0, over all documents, drawn by whole documents. nil for fewer
    /// than two.
    func mean(_ range: Range<Int>) -> BootstrapEstimate? { drawn { Self.mean($0, range) } }

    /// The mean divergence of the last quarter of the places over that of the first.
    var growth: BootstrapEstimate? {
        let quarter = max(1, places / 4)
        return drawn { Self.mean($0, places - quarter..<places) / Self.mean($0, 0..<quarter) }
    }

    /// The share of places in `range` at which both find the same token the most likely.
    func agreement(_ range: Range<Int>) -> Double {
        let all = documents.flatMap { $0.agrees[range] }
        return Double(all.count { $0 }) / Double(all.count)
    }

    private func drawn(_ statistic: ([Document]) -> Double) -> BootstrapEstimate? {
        Statistics.bootstrap(groups: [documents.count], plan: .init()) { drawn in statistic(drawn[0].map { documents[$0] }) }
    }

    static func mean(_ documents: [Document], _ range: Range<Int>) -> Double {
        documents.reduce(0) { $0 + $1.kld[range].reduce(0, +) } / Double(documents.count * range.count)
    }

    /// All series in the order in which they first occur.
    static func all(_ table: ResultTable) throws -> [DriftSeries] {
        let texts = try ["model", "way", "scheme", "base_scheme", "text"].map { try table.requiredStrings($0) }
        let (prompt, place) = (try table.requiredInts("prompt_tokens"), try table.requiredInts("place"))
        let (kld, agrees) = (try table.requiredDoubles("kld"), try table.requiredInts("agrees"))
        let keys = (0..<table.rowCount).map { row in texts[..<3].map { $0[row] } }
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        return orderedSet(keys).map { key in
            let own = rows[key]!
            let documents = orderedSet(own.map { texts[4][$0] }).map { text in
                let places = own.filter { texts[4][$0] == text }.sorted { place[$0] < place[$1] }
                return Document(kld: places.map { kld[$0] }, agrees: places.map { agrees[$0] == 1 })
            }
            return DriftSeries(
                model: key[0], way: key[1], scheme: key[2], baseScheme: texts[3][own[0]], promptTokens: prompt[own[0]],
                documents: documents)
        }
    }
}
