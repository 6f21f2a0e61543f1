import Results

/// Agents round robin in a budget that holds fewer of them: what bringing them back costs, and how much of it hides
/// behind the decode of the agent before. No paper has it; P1 projects it.
struct TableThrash: TableDefinition {
    let id = "thrash"
    let title = "Agents round robin in a budget that holds fewer"
    let needs = ["thrash"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        try input.turnBlocks("thrash", byScheme: false).map { block in
            var rows: [[ReportTable.Cell]] = []
            for context in Set(block.turns.map(\.contextTokens)).sorted() {
                let own = block.turns.filter { $0.contextTokens == context }
                let again = own.filter { $0.mode == "fp16 re-prefill" }
                for mode in orderedSet(own.map(\.mode)).sorted() {
                    rows.append(Self.row(own.filter { $0.mode == mode }, against: again))
                }
            }
            let agents = block.turns[0].batch
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) \(agents) agents take turns under the same budget in bytes. Files of \
                    agents that are not in memory are \(block.turns[0].state) in the page cache before each turn. Hidden: \
                    the part of all loading that no request waited for. Speed-up: p95 of re-prefill ÷ p95. Contexts are \
                    synthetic rows where they are persisted. \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows)
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Mode", key: "mode", .text),
        .init("TTFT p50", key: "ttft_p50_s", .seconds, unitGroup: "ttft"),
        .init("TTFT p95", key: "ttft_p95_s", .seconds, unitGroup: "ttft"),
        .init("TTFT max", key: "ttft_max_s", .seconds, unitGroup: "ttft"),
        .init("n", key: "n", .count),
        .init("In memory", key: "in_memory", .share),
        .init("Loading", key: "load_s", .seconds),
        .init("Hidden", key: "hidden", .share),
        .init("Loaded", key: "bytes_loaded", .bytes),
        .init("Speed-up of p95", key: "speedup_p95", .factor),
    ]

    private static func row(_ turns: [TurnSample], against again: [TurnSample]) -> [ReportTable.Cell] {
        let ttft = turns.map(\.ttftSeconds)
        let p95 = Statistics.quantile(ttft, 0.95)
        let loading = turns.reduce(0) { $0 + $1.loadSeconds }
        let waited = turns.reduce(0) { $0 + $1.exposedLoadSeconds }
        let hot = turns.count { $0.source == "hot" }
        return [
            .text(NumberText.context(turns[0].contextTokens)), .text(turns[0].mode), .number(Estimate(ttft).value),
            .number(p95), .number(ttft.max()!), .count(turns.count), .number(Double(hot) / Double(turns.count)),
            loading > 0 ? .number(loading) : .missing("nothing is loaded"),
            loading > 0 ? .number(1 - waited / loading) : .missing("nothing is loaded"),
            .number(Double(turns.reduce(0) { $0 + $1.bytesLoaded })),
            again.isEmpty
                ? .missing("this run has no re-prefill")
                : .number(Statistics.quantile(again.map(\.ttftSeconds), 0.95) / p95),
        ]
    }
}
