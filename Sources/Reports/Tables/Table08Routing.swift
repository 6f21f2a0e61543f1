/// P1, Table 8: mean TTFT of experts that are primed, asked after a restart, and asked again.
struct Table08Routing: TableDefinition {
    let id = "T8"
    let title = "Table 8. Questions routed to experts"
    let needs = ["routing"]

    static let rule = VerdictRule.atLeast(share: 0.5)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        return try input.turnBlocks("routing").map { block in
            let model = block.turns[0].paperModel
            var rows: [[ReportTable.Cell]] = []
            for context in Set(block.turns.map(\.contextTokens)).sorted() {
                let own = block.turns.filter { $0.contextTokens == context }
                for phase in orderedSet(own.map(\.state)).sorted() {
                    for role in ["expert", "reporter"] {
                        let part = own.filter { $0.state == phase && $0.mode == role }
                        guard !part.isEmpty else { continue }
                        let paper = role == "expert" ? published.phases[[model, phase]] : nil
                        rows.append(Self.row(part, own, paper, published.phases[[model, Self.priming]]?.seconds))
                    }
                }
            }
            let experts = Set(block.turns.filter { $0.mode == "expert" }.map(\.agent)).count
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) \(experts) experts, each with an article in its cache, asked in turn; \
                    between priming and the queries nothing but files is kept. Mean TTFT of a phase's turns, median over \
                    n passes with its non-parametric interval; speed-up: that of priming ÷ that of the phase within the \
                    same pass. Gate: answers with at least half of the tokens asked for, no four words more than five \
                    times, and words of at most 20 characters on average; all passes. Paper: P1, Table 8, of other \
                    articles, which are not published, and without a time for its reporter. Reproduced: \
                    \(Self.rule.statement(of: "the whole interval of the speed-up here")). \
                    \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.flatMap(\.self).compactMap(\.estimate)))
        }
    }

    private static let priming = "1 priming (cold)"
    /// The paper's articles have 2,000 to 4,000 tokens; what reuse gains grows with the context.
    private static let leastContext = 2000

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Phase", key: "phase", .text),
        .init("Role", key: "role", .text),
        .init("Hit / prompt tokens", key: "hit_share", .share),
        .init("TTFT, paper", key: "ttft_paper_s", .seconds, unitGroup: "ttft"),
        .init("TTFT, here", key: "ttft_here_s", .seconds, unitGroup: "ttft", hasInterval: true),
        .init("n", key: "n", .count),
        .init("Speed-up, paper", key: "speedup_paper", .factor),
        .init("Speed-up, here", key: "speedup_here", .factor, hasInterval: true),
        .init("Here ÷ paper", key: "speedup_ratio", .plain),
        .init("Gate, paper", key: "gate_paper", .text, alignment: .right),
        .init("Gate, here", key: "gate_here", .text, alignment: .right),
        .init("Verdict", key: "verdict", .text),
    ]

    private static func row(
        _ turns: [TurnSample], _ all: [TurnSample], _ paper: Published.Phase?, _ paperPriming: Double?
    ) -> [ReportTable.Cell] {
        func perPass(_ turns: [TurnSample]) -> [Int: Double] {
            Dictionary(grouping: turns, by: \.pass).mapValues { $0.reduce(0) { $0 + $1.ttftSeconds } / Double($0.count) }
        }
        let (own, primed) = (perPass(turns), perPass(all.filter { $0.state == priming }))
        let absent = turns[0].mode == "reporter" ? "the paper times no reporter" : "the paper has no such model"
        let asked = turns.filter { ["passed", "failed"].contains($0.gate) }
        let hits = Double(turns.reduce(0) { $0 + $1.hitTokens }) / Double(turns.reduce(0) { $0 + $1.promptTokens })
        let head: [ReportTable.Cell] = [
            .text(NumberText.context(turns[0].contextTokens)), .text(turns[0].state), .text(turns[0].mode), .number(hits),
            paper.map { .number($0.seconds) } ?? .missing(absent), .estimate(Estimate(own.keys.sorted().map { own[$0]! })),
            .count(own.count),
        ]
        let gates: [ReportTable.Cell] = [
            paper.map { .text($0.gate) } ?? .missing(absent),
            asked.isEmpty
                ? .missing("synthetic weights say nothing")
                : .text("\(asked.count { $0.gate == "passed" })/\(asked.count)"),
        ]
        let passes = own.keys.filter { primed[$0] != nil }.sorted()
        guard turns[0].state != priming, !passes.isEmpty else {
            let reason = "priming is what the speed-up is measured against"
            return head + Array(repeating: .missing(reason), count: 3) + gates + [.missing(reason)]
        }
        let speedUp = Estimate(passes.map { primed[$0]! / own[$0]! })
        guard let paper, let paperPriming else {
            return head + [.missing(absent), .estimate(speedUp), .missing(absent)] + gates + [.missing(absent)]
        }
        let published = paperPriming / paper.seconds
        let verdict =
            turns[0].contextTokens < leastContext
            ? Verdict.notRunnable(reason: "articles are cut below the paper's \(leastContext) tokens")
            : rule.decide(published: published, here: speedUp)
        return head + [.number(published), .estimate(speedUp), .number(speedUp.value / published)] + gates
            + [.verdict(verdict)]
    }

    /// `table08_routing.csv` by model and phase, in seconds.
    private struct Published {
        struct Phase {
            var seconds: Double
            var gate: String
        }
        var phases: [[String]: Phase] = [:]

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("table08_routing")
            for row in 0..<table.rowCount {
                let phase = try table.text(row, "phase")
                for (model, prefix) in [("gemma3-12b", "gemma"), ("deepseek-v2-lite", "deepseek")] {
                    phases[[model, phase]] = Phase(
                        seconds: try table.number(row, "\(prefix)_ttft_ms") / 1000,
                        gate: try table.text(row, "\(prefix)_quality"))
                }
            }
        }
    }
}
