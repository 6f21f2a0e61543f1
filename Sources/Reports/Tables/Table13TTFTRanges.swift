/// P1, Table 13: smallest, median and largest TTFT of the passes. One table per block.
///
/// What two machines can share is how far the passes spread, so that is what is compared.
struct Table13TTFTRanges: TableDefinition {
    let id = "T13"
    let title = "Table 13. Range of TTFT over the passes"
    let needs = ["ttft"]

    /// Twice the published spread; below 10 % any spread will do.
    static let rule = VerdictRule.atMost(factor: 2, floor: 0.1)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        let ttft = try PublishedTTFT(input.published)
        return try input.ttftBlocks().map { block in
            let comparison = TTFTComparison(block, ttft)
            let rows = block.contexts.flatMap { context in
                block.states.filter { !block[context, $0].isEmpty }.map { state in
                    row(block, context, state, comparison, published)
                }
            }
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.description) Smallest, median and largest TTFT of n passes; spread is \
                    (largest − smallest) ÷ median. Paper: P1, Table 13, on an Apple M4 Pro, 6 passes (DeepSeek at \
                    32K: 3); seconds of two machines are not compared. Reproduced: \
                    \(Self.rule.statement(of: "the spread here")). \(input.provenance(block.hardware))
                    """,
                columns: Self.columns, rows: rows, notes: block.failureNotes)
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("State", key: "state", .text),
        .init("Min, paper", key: "min_paper_s", .seconds),
        .init("Median, paper", key: "median_paper_s", .seconds),
        .init("Max, paper", key: "max_paper_s", .seconds),
        .init("Min, here", key: "min_here_s", .seconds),
        .init("Median, here", key: "median_here_s", .seconds),
        .init("Max, here", key: "max_here_s", .seconds),
        .init("n", key: "n", .count),
        .init("Spread, paper", key: "spread_paper", .share),
        .init("Spread, here", key: "spread_here", .share),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(
        _ block: TTFTBlock, _ context: Int, _ state: CacheState, _ comparison: TTFTComparison, _ published: Published
    ) -> [ReportTable.Cell] {
        let nominal = TTFTBlock.nominal(context)
        let seconds = block[context, state].map(\.ttftSeconds).sorted()
        let median = Estimate(seconds).value
        let spread = (seconds.last! - seconds.first!) / median
        let head: [ReportTable.Cell] = [.text(NumberText.context(nominal)), .text(state.label)]
        let here: [ReportTable.Cell] = [
            .number(seconds.first!), .number(median), .number(seconds.last!), .count(seconds.count),
        ]
        let absence =
            comparison.refusal(of: state)
            ?? TTFTComparison.Absence(reason: "the paper has no range here")
        guard comparison.refusal(of: state) == nil,
            let range = published.range(block.key.paperModel, state.published, nominal)
        else {
            let gap = ReportTable.Cell.missing(absence.reason)
            return head + [gap, gap, gap] + here + [gap, .number(spread), gap]
        }
        guard seconds.count > 1 else {
            let reason = "one pass has no spread"
            return head + range.cells + here
                + [.number(range.spread), .missing(reason), .verdict(.notRunnable(reason: reason))]
        }
        return head + range.cells + here + [
            .number(range.spread), .number(spread),
            .verdict(Self.rule.decide(published: range.spread, here: .exact(spread))),
        ]
    }

    /// `table13_ttft_ranges.csv`, in seconds.
    private struct Published {
        struct Range {
            var min: Double
            var median: Double
            var max: Double
            var spread: Double { (max - min) / median }
            var cells: [ReportTable.Cell] { [.number(min), .number(median), .number(max)] }
        }
        private var ranges: [[String]: Range] = [:]

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("table13_ttft_ranges")
            for row in 0..<table.rowCount {
                let context = String(try table.integer(row, "context"))
                ranges[[try table.text(row, "model"), try table.text(row, "cache"), context]] = Range(
                    min: try table.number(row, "min_ms") / 1000, median: try table.number(row, "median_ms") / 1000,
                    max: try table.number(row, "max_ms") / 1000)
            }
        }

        func range(_ model: String, _ state: String?, _ context: Int) -> Range? {
            state.flatMap { ranges[[model, $0, String(context)]] }
        }
    }
}
