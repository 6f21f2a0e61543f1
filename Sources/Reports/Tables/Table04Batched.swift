/// P1, Table 4: tokens per second of two agents served together, cold, warm and hot; and what the paper has not: of one
/// agent alone, and of more.
struct Table04Batched: TableDefinition {
    let id = "T4"
    let title = "Table 4. Tokens per second of agents served together"
    let needs = ["batched"]

    /// P1's figure is that of two agents; how much of it is the batch's can only be said of ours.
    static let rule = VerdictRule.atLeast(share: 0.5)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        return try input.turnBlocks("batched").map { block in
            let model = block.turns[0].paperModel
            var rows: [[ReportTable.Cell]] = []
            for context in Set(block.turns.map(\.contextTokens)).sorted() {
                for state in ["cold", "warm", "hot"] {
                    let own = block.turns.filter { $0.contextTokens == context && $0.state == state }
                    for batch in Set(own.map(\.batch)).sorted() {
                        rows.append(Self.row(own, batch, published.gain(model, context, state)))
                    }
                }
            }
            let estimates = rows.flatMap(\.self).compactMap(\.estimate)
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) Tokens of all agents ÷ time from the first request to the last token, \
                    median over n runs with its non-parametric interval. Gain: that rate ÷ the rate of one agent alone \
                    in the same state and pass. Paper: P1, Table 4, where the rate of "batch 1" is half the rate of \
                    batch 2, so that its gain of 2.00 is a definition; here batch 1 is measured. Warm and hot contexts \
                    are synthetic rows. Reproduced: \(Self.rule.statement(of: "the whole interval of the gain here")). \
                    \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows, notes: Estimate.coverageNote(estimates))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("State", key: "state", .text),
        .init("Agents", key: "batch", .count),
        .init("Tokens/s, here", key: "system_tps_here", .plain, hasInterval: true),
        .init("Per agent", key: "agent_tps_here", .plain),
        .init("TTFT", key: "ttft_here_s", .seconds),
        .init("n", key: "n", .count),
        .init("Gain, paper", key: "gain_paper", .factor),
        .init("Gain, here", key: "gain_here", .factor, hasInterval: true),
        .init("Here ÷ paper", key: "gain_ratio", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    private static func row(_ turns: [TurnSample], _ batch: Int, _ paper: Double?) -> [ReportTable.Cell] {
        let runs = turns.filter { $0.batch == batch }.runs
        let rate = Estimate(runs.map(Self.rate))
        let alone = Dictionary(
            turns.filter { $0.batch == 1 }.runs.map { ($0[0].pass, Self.rate($0)) }, uniquingKeysWith: { first, _ in first })
        let gains = runs.compactMap { run in alone[run[0].pass].map { Self.rate(run) / $0 } }
        let head: [ReportTable.Cell] = [
            .text(NumberText.context(turns[0].contextTokens)), .text(turns[0].state), .count(batch), .estimate(rate),
            .number(rate.value / Double(batch)), .number(Estimate(runs.joined().map(\.ttftSeconds)).value),
            .count(runs.count),
        ]
        guard batch > 1 else {
            return head + Array(repeating: .missing("one agent alone is what the gain is measured against"), count: 4)
        }
        guard !gains.isEmpty else {
            let reason = "no pass served one agent alone in this state"
            return head + [
                paper.map(ReportTable.Cell.number) ?? .missing(reason), .missing(reason), .missing(reason),
                .verdict(.notRunnable(reason: reason)),
            ]
        }
        let gain = Estimate(gains)
        guard batch == 2, let paper else {
            let reason = batch == 2 ? "the paper has no such row" : "the paper has two agents at most"
            return head + [.missing(reason), .estimate(gain), .missing(reason), .missing(reason)]
        }
        return head + [
            .number(paper), .estimate(gain), .number(gain.value / paper),
            .verdict(rule.decide(published: paper, here: gain)),
        ]
    }

    private static func rate(_ run: [TurnSample]) -> Double {
        Double(run.reduce(0) { $0 + $1.outputTokens }) / run[0].wallSeconds
    }

    /// `table04_batched_throughput.csv`: tokens/s of two agents ÷ that of each.
    private struct Published {
        private var gains: [[String]: Double] = [:]

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("table04_batched_throughput")
            for row in 0..<table.rowCount {
                let place = [
                    try table.text(row, "model"), String(try table.integer(row, "context")), try table.text(row, "cache"),
                ]
                gains[place] = try table.number(row, "system_tps") / table.number(row, "per_agent_tps")
            }
        }

        func gain(_ model: String, _ context: Int, _ state: String) -> Double? {
            gains[[model, String(TTFTBlock.nominal(context)), state]]
        }
    }
}
