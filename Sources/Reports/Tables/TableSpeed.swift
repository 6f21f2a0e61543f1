/// Speed of prefill and decode beside the ceilings of the machine. Not of the papers: it is about this engine.
struct TableSpeed: TableDefinition {
    let id = "S1"
    let title = "Speed. Prefill and decode against the ceilings of the machine"
    let needs = ["speed", "ceilings"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let rows = try SpeedRow.all(in: input.results.table("speed")!)
        let ceilings = try CeilingRow.all(in: input.results.table("ceilings")!)
        let compute = CeilingRow.compute(ceilings).map { Estimate($0.rates).value }
        let memory = ceilings.first { $0.kind == "memory read" }.map { Estimate($0.rates).value }
        let cells = rows.map { row -> [ReportTable.Cell] in
            let operations = Estimate(row.operationsPerSecond).value, bytes = Estimate(row.bytesPerSecond).value
            let share = { (value: Double, ceiling: Double?) -> ReportTable.Cell in
                ceiling.map { .number(value / $0) } ?? .missing("the ceiling was not measured")
            }
            return [
                .text(row.model), .text(row.scheme), .text(row.label), .estimate(Estimate(row.tokensPerSecond)),
                .count(row.tokensPerSecond.count), .number(operations / 1e9), share(operations, compute),
                row.test == "decode" ? .number(bytes / 1e9) : .missing("prefill is bound by arithmetic"),
                row.test == "decode" ? share(bytes, memory) : .missing("prefill is bound by arithmetic"),
            ]
        }
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Tokens per second of all sequences together. GOP/s: multiplications and additions of weights and \
                    attention, as far as the result needs them; the last layer goes past keys and values for the last \
                    token only. GB/s: weights and caches, each byte once for a step. Ceilings of all threads, \
                    measured in every pass: \(ceilings.map(\.words).joined(separator: ", ")). Weights: \
                    \(orderedSet(rows.map(\.weights)).joined(separator: ", ")). \(input.provenance())
                    """,
                columns: Self.columns, rows: cells,
                notes: Estimate.coverageNote(cells.joined().compactMap(\.estimate)))
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Model", key: "model", .text),
        .init("Cache", key: "scheme", .text),
        .init("Test", key: "test", .text),
        .init("Tokens/s", key: "tokens_per_second", .plain, hasInterval: true),
        .init("n", key: "n", .count),
        .init("GOP/s", key: "gop_per_second", .plain),
        .init("Of arithmetic", key: "share_of_arithmetic", .share),
        .init("GB/s", key: "gb_per_second", .plain),
        .init("Of memory read", key: "share_of_memory_read", .share),
    ]
}
