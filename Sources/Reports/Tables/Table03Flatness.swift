/// How TTFT grows from the shortest context to the longest: P1 calls warm TTFT nearly flat.
struct Table03Flatness: TableDefinition {
    let id = "T3-flatness"
    let title = "Table 3, flatness. Growth of TTFT from the shortest context to the longest"
    let needs = ["ttft"]

    static let rule = VerdictRule.atMost(factor: 2)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try PublishedTTFT(input.published)
        let blocks = try input.ttftBlocks()
        let rows = blocks.flatMap { block in
            block.states.filter { $0.name != "cold" }.map { row(block, $0, TTFTComparison(block, published)) }
        }
        let hardware = orderedSet(blocks.map(\.hardware)).joined(separator: " and ")
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    TTFT at the longest context ÷ TTFT at the shortest, within the same pass; median and \
                    non-parametric interval over n passes. Contexts are the shortest and longest that both the \
                    paper and this run have, or that this run has where nothing is published. Reproduced: \
                    \(Self.rule.statement(of: "the whole interval of the growth here")). \(input.provenance(hardware))
                    """,
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.joined().compactMap(\.estimate)))
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Run", key: "run", .text),
        .init("State", key: "state", .text),
        .init("Contexts", key: "contexts", .text),
        .init("Growth of context", key: "context_growth", .factor),
        .init("Growth of TTFT, paper", key: "growth_paper", .factor),
        .init("Growth of TTFT, here", key: "growth_here", .factor, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Here ÷ paper", key: "growth_ratio", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(_ block: TTFTBlock, _ state: CacheState, _ comparison: TTFTComparison) -> [ReportTable.Cell] {
        let measured = block.contexts.filter { !block[$0, state].isEmpty }
        let shared = measured.filter { (try? comparison.ttft(state, TTFTBlock.nominal($0)).get()) != nil }
        let contexts = shared.count > 1 ? shared : measured
        let head: [ReportTable.Cell] = [.text(block.id), .text(state.label)]
        guard let first = contexts.first, let last = contexts.last, first < last else {
            let reason = "growth needs two contexts"
            return head + Array(repeating: .missing(reason), count: 6) + [.verdict(.notRunnable(reason: reason))]
        }
        let nominal = (first: TTFTBlock.nominal(first), last: TTFTBlock.nominal(last))
        let ratios = TTFTBlock.ratios(block[last, state], to: block[first, state])
        let labels = "\(NumberText.context(nominal.first)) → \(NumberText.context(nominal.last))"
        let middle: [ReportTable.Cell] = [.text(labels), .number(Double(last) / Double(first))]
        let paper = comparison.ttft(state, nominal.last).flatMap { long in
            comparison.ttft(state, nominal.first).map { long / $0 }
        }
        guard !ratios.isEmpty else {
            let reason = "no pass has both contexts"
            let gap = ReportTable.Cell.missing(reason)
            return head + middle + [paper.cell, gap, gap, gap, .verdict(.notRunnable(reason: reason))]
        }
        let here = Estimate(ratios)
        let tail: [ReportTable.Cell] =
            switch paper {
            case .success(let value):
                [.number(here.value / value), .verdict(Self.rule.decide(published: value, here: here))]
            case .failure(let absence): [.missing(absence.reason), .missing(absence.reason)]
            }
        return head + middle + [paper.cell, .estimate(here), .count(here.sampleCount)] + tail
    }
}
