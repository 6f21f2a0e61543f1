import Results

/// P1, Table 10 names ways to bring back an agent whose cache is gone from memory. Here is what each of them costs.
struct Table10Restoration: TableDefinition {
    let id = "T10"
    let title = "Table 10. Ways to bring an agent back"
    let needs = ["thrash"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        try input.turnBlocks("thrash", byScheme: false).map { block in
            let contexts = Set(block.turns.map(\.contextTokens)).sorted()
            let rows = contexts.flatMap { context -> [[ReportTable.Cell]] in
                // Agents that were still in memory were not brought back.
                let own = block.turns.filter { $0.contextTokens == context && $0.source != "hot" }
                let again = own.filter { $0.mode == "fp16 re-prefill" }.map(\.ttftSeconds)
                return orderedSet(own.map(\.mode)).sorted().map { mode in
                    Self.row(own.filter { $0.mode == mode }, again)
                }
            }
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) Turns of agents that were out of memory, whose files are \
                    \(block.turns[0].state) in the page cache. Waited: the part of the time to first token that the turn \
                    waited for its file. Gain: median of re-prefill ÷ median, with an interval that assumes nothing of \
                    either. The paper's table has words, no numbers. \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.compactMap { $0[4].estimate }))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right), .init("Approach", key: "approach", .text),
        .init("Read per turn", key: "bytes_per_turn", .bytes), .init("Tokens computed", key: "tokens_computed", .count),
        .init("TTFT", key: "ttft_s", .seconds, hasInterval: true), .init("n", key: "n", .count),
        .init("Waited", key: "waited", .share), .init("Gain", key: "gain", .factor, hasInterval: true),
    ]

    private static func row(_ turns: [TurnSample], _ again: [Double]) -> [ReportTable.Cell] {
        let ttft = turns.map(\.ttftSeconds)
        let waited = turns.map { $0.exposedLoadSeconds / $0.ttftSeconds }
        let gain: ReportTable.Cell =
            Statistics.ratioOfMediansInterval(again, over: ttft).map { interval in
                .estimate(
                    Estimate(
                        value: Statistics.median(again) / Statistics.median(ttft), low: interval.lower, high: interval.upper,
                        sampleCount: min(again.count, ttft.count), coverage: interval.coverage))
            } ?? .missing("this run has no re-prefill")
        return [
            .text(NumberText.context(turns[0].contextTokens)), .text(turns[0].mode),
            .number(Statistics.median(turns.map { Double($0.bytesLoaded) })),
            .number(Statistics.median(turns.map { Double($0.promptTokens - $0.hitTokens) })), .estimate(Estimate(ttft)),
            .count(turns.count), .number(Statistics.median(waited)),
            turns[0].mode == "fp16 re-prefill" ? .missing("what the gain is measured against") : gain,
        ]
    }
}
