/// What a run came to, in two small tables: for the terminal and for the top of the report.
struct Headline {
    /// Every table of the report.
    var tables: [ReportTable]

    /// Speed-ups at the longest context of each block of Table 3: of the states that the paper has, or of all where it
    /// has none. nil when the run has no speed-up.
    var speedUps: ReportTable? {
        let kept = ["context", "state", "ttft_here_s", "speedup_paper", "speedup_here", "speedup_ratio", "verdict"]
        let blocks = tables.filter { $0.id.hasPrefix("T3-") && $0.columnIndex("speedup_here") != nil }
        guard let first = blocks.first else { return nil }
        var rows: [[ReportTable.Cell]] = []
        for block in blocks {
            let here = block.columnIndex("speedup_here")!
            let measured = block.rows.filter { $0[here].number != nil }
            let judged = measured.filter { $0.contains { if case .verdict = $0 { true } else { false } } }
            let compared = judged.isEmpty ? measured : judged
            let context = block.columnIndex("context")!
            let name = ReportTable.Cell.text(String(block.id.dropFirst(3)))
            rows += compared.filter { $0[context] == compared.last?[context] }.map { row in
                [name] + kept.map { row[block.columnIndex($0)!] }
            }
        }
        guard !rows.isEmpty else { return nil }
        return ReportTable(
            id: "headline", title: "Time to first token at the longest context measured",
            caption: "From Table 3: median [interval], speed-up over cold within the same pass.",
            columns: [.init("Run", key: "run", .text)] + kept.map { first.columns[first.columnIndex($0)!] }, rows: rows)
    }

    /// How many rows of each table came to each verdict; nil when nothing was compared.
    var verdicts: ReportTable? {
        let rows = tables.compactMap { table -> [ReportTable.Cell]? in
            let count = table.verdicts
            guard count != (0, 0, 0) else { return nil }
            return [.text(table.title), .count(count.reproduced), .count(count.differs), .count(count.notRunnable)]
        }
        guard !rows.isEmpty else { return nil }
        let total = (1...3).map { column in rows.compactMap { $0[column].number }.reduce(0, +) }
        return ReportTable(
            id: "verdicts", title: "Verdicts", caption: "The rule of each verdict stands in the caption of its table.",
            columns: [
                .init("Table", key: "table", .text), .init("reproduced", key: "reproduced", .count),
                .init("differs", key: "differs", .count), .init("not runnable here", key: "not_runnable", .count),
            ], rows: rows + [[.text("All")] + total.map(ReportTable.Cell.number)])
    }

    /// Ids of tables that the run cannot fill.
    var absent: [String] { tables.filter(\.columns.isEmpty).map(\.id) }
}

extension ReportTable {
    func columnIndex(_ key: String) -> Int? { columns.firstIndex { $0.key == key } }
}
