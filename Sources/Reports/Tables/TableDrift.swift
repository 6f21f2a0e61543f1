import Results

/// Whether the error of a quantized cache grows with the position in a document, and with the number of decoded tokens.
struct TableDrift: TableDefinition {
    let id = "drift"
    let title = "Quality. Error by position and by decoded tokens"
    let needs = ["drift"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let series = try DriftSeries.all(input.results.table("drift")!)
        return orderedSet(series.map(\.model)).map { model in
            let own = series.filter { $0.model == model }
            let prompt = own.first { $0.promptTokens > 0 }?.promptTokens
            return ReportTable(
                id: "\(id)-\(fileName(model))", title: "\(title): \(model)",
                caption: """
                    KL divergence in nats from the same model with a cache of \(own[0].baseScheme), on the same tokens; \
                    reference arithmetic. read: documents prefilled, by position. generated: the greedy continuation of the unquantized \
                    cache decoded token by token\(prompt.map { " after \($0) prefilled tokens" } ?? ""), by tokens decoded. \
                    followed: the same on the document's own tokens. Growth: the mean of the last quarter ÷ that of the first. \
                    Brackets: 95 % by drawing whole documents. \(input.provenance())
                    """,
                columns: Self.columns, rows: own.map(row))
        }
    }

    private static let judged = 4

    private static let columns: [ReportTable.Column] = [
        .init("Tokens", key: "way", .text),
        .init("Cache", key: "scheme", .text),
        .init("Documents", key: "documents", .count),
        .init("Places", key: "places", .count),
        .init("KLD, first quarter", key: "kld_first", .plain, hasInterval: true),
        .init("KLD, last quarter", key: "kld_last", .plain, hasInterval: true),
        .init("Growth", key: "growth", .factor, hasInterval: true),
        .init("Same top token, first", key: "top1_first", .share),
        .init("Same top token, last", key: "top1_last", .share),
        .init("Does the error grow?", key: "grows", .text),
    ]

    private func row(_ series: DriftSeries) -> [ReportTable.Cell] {
        let quarter = max(1, series.places / 4)
        let (first, last) = (0..<quarter, series.places - quarter..<series.places)
        let growth = series.growth
        let few = "an interval needs two documents"
        // Intervals from fewer documents than these are too narrow to judge by.
        let judged = series.documents.count < Self.judged ? nil : growth
        let word = judged.map { $0.interval.lower > 1 ? "grows" : $0.interval.upper < 1 ? "shrinks" : "no change seen" }
        return [
            .text(series.way), .text(series.scheme), .count(series.documents.count), .count(series.places),
            .drawn(series.mean(first), else: few), .drawn(series.mean(last), else: few), .drawn(growth, else: few),
            .number(series.agreement(first)), .number(series.agreement(last)),
            word.map(ReportTable.Cell.text) ?? .missing("fewer than \(Self.judged) documents"),
        ]
    }
}

extension ReportTable.Cell {
    /// What a bootstrap gave, or why it gave nothing.
    static func drawn(_ estimate: BootstrapEstimate?, else reason: String) -> ReportTable.Cell {
        guard let estimate else { return .missing(reason) }
        return .estimate(
            Estimate(
                value: estimate.estimate, low: estimate.interval.lower, high: estimate.interval.upper,
                sampleCount: estimate.blocks, coverage: estimate.interval.coverage))
    }
}
