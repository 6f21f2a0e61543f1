/// P1, Tables 2 and 14: agents that fit the cache budget, FP16 against Q4, under the paper's own conditions: every
/// layer keeps every token, MLA is expanded.
struct Table02Capacity: TableDefinition {
    let id = "T2"
    let title = "Tables 2 and 14. Agents in the cache budget, FP16 against Q4"
    let needs = ["capacity"]

    static let rule = VerdictRule.equal

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try PublishedAgents(input.published)
        let pairs = try CapacityPair.all(try input.capacityRows()).filter {
            $0.shared.isAsPublished && PublishedAgents.budgets.contains($0.shared.budgetLabel)
                && ($0.quantized == nil || $0.quantized?.scheme == PublishedModel.scheme)
        }
        var rows: [[ReportTable.Cell]] = []
        var tally: [String: (reproduced: Int, all: Int)] = [:]
        for entry in published.entries {
            let title = PublishedModel.title(entry.model)
            let head: [ReportTable.Cell] = [.text(title), .text(NumberText.context(entry.context))]
            let own = pairs.filter {
                PublishedModel.fullSize(shape: $0.shared.shape)?.id == entry.model
                    && $0.shared.contextTokens == entry.context
            }
            if own.isEmpty {
                rows.append(head + absent(entry, "not in this run (profile \(input.results.run.profile))"))
            }
            for pair in own {
                let cells = row(pair, entry)
                let key = "\(title) at \(pair.shared.budgetLabel)"
                tally[key, default: (0, 0)].all += 1
                if cells.last == .verdict(.reproduced) { tally[key]!.reproduced += 1 }
                rows.append(head + [.text(pair.shared.budgetLabel)] + cells)
            }
        }
        let notes = tally.keys.sorted().map { "\($0): \(tally[$0]!.reproduced) of \(tally[$0]!.all) rows reproduced." }
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Agents of one context that fit the budget, as P1 keeps them: windowed layers keep every token, \
                    MLA is expanded. Computed: budget ÷ bytes per agent. Measured: agents really allocated in the \
                    block pool until the budget was full. Both are exact counts without an interval. P1 states \
                    10.2 GB without saying which; the budgets that explain its rows are both here. Reproduced: \
                    both computed numbers equal the published ones, and the measured ones, where measured, equal \
                    the computed. \(input.provenance())
                    """,
                columns: Self.columns, rows: rows, notes: notes)
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Model", key: "model", .text),
        .init("Context", key: "context", .text, alignment: .right),
        .init("Budget", key: "budget", .text),
        .init("FP16, paper", key: "fp16_agents_paper", .count),
        .init("FP16, computed", key: "fp16_agents_computed", .count),
        .init("FP16, measured", key: "fp16_agents_measured", .count),
        .init("Q4, paper", key: "q4_agents_paper", .count),
        .init("Q4, computed", key: "q4_agents_computed", .count),
        .init("Q4, measured", key: "q4_agents_measured", .count),
        .init("Q4 here ÷ paper", key: "q4_ratio", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(_ pair: CapacityPair, _ paper: PublishedAgents.Entry) -> [ReportTable.Cell] {
        guard let fp16 = pair.fp16, let q4 = pair.quantized else {
            let reason = "this run has only \(pair.shared.scheme) here"
            return [.count(paper.fp16)] + pair.fp16.agentCells(otherwise: reason) + [.count(paper.q4)]
                + pair.quantized.agentCells(otherwise: reason)
                + [.missing(reason), .verdict(.notRunnable(reason: reason))]
        }
        return [.count(paper.fp16)] + pair.fp16.agentCells(otherwise: "") + [.count(paper.q4)]
            + pair.quantized.agentCells(otherwise: "")
            + [
                paper.q4 == 0
                    ? .missing("the published number is zero")
                    : .number(Double(q4.agentsMeasured ?? q4.agentsComputed) / Double(paper.q4)),
                .verdict(verdict(fp16, paper.fp16) == .reproduced ? verdict(q4, paper.q4) : .differs),
            ]
    }

    private func verdict(_ row: CapacityRow, _ paper: Int) -> Verdict {
        guard row.agentsMeasured == nil || row.agentsMeasured == row.agentsComputed else { return .differs }
        return Self.rule.decide(published: Double(paper), here: .exact(Double(row.agentsComputed)))
    }

    private func absent(_ paper: PublishedAgents.Entry, _ reason: String) -> [ReportTable.Cell] {
        let gap = ReportTable.Cell.missing(reason)
        return [
            gap, .count(paper.fp16), gap, gap, .count(paper.q4), gap, gap, gap, .verdict(.notRunnable(reason: reason)),
        ]
    }
}

extension CapacityRow? {
    /// Agents computed and measured, or why not.
    func agentCells(otherwise reason: String) -> [ReportTable.Cell] {
        guard let row = self else { return [.missing(reason), .missing(reason)] }
        return [.count(row.agentsComputed), row.agentsMeasured.map(ReportTable.Cell.count) ?? .notMeasured]
    }
}

extension ReportTable.Cell {
    /// Computed, but not measured by the profile that was run.
    static let notMeasured = ReportTable.Cell.missing("not measured in this profile")
}
