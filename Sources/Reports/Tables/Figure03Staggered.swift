/// P1, Figure 3 and Appendix F: two agents, the second some time after the first, served one after the other and together.
struct Figure03Staggered: TableDefinition {
    let id = "F3"
    let title = "Figure 3. Staggered arrivals, one after the other and together"
    let needs = ["staggered"]

    /// P1 finds no difference in wall time; a tenth more than its share counts as none.
    static let rule = VerdictRule.atMost(factor: 1.1)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        return try input.turnBlocks("staggered").map { block in
            let paper = published.modes[block.turns[0].paperModel] ?? [:]
            var rows: [[ReportTable.Cell]] = []
            for context in Set(block.turns.map(\.contextTokens)).sorted() {
                let own = block.turns.filter { $0.contextTokens == context }
                for mode in ["sequential", "batched"] where own.contains(where: { $0.mode == mode }) {
                    rows.append(Self.row(own, mode, paper))
                }
            }
            let estimates = rows.flatMap(\.self).compactMap(\.estimate)
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) Nothing is cached; A comes first, B after the delay that the run's \
                    configuration says. Times are medians over n passes with their non-parametric intervals; those of B \
                    count from its arrival. Share: wall time ÷ the wall time of serving in turn, within the same pass. \
                    Paper: P1, Figure 3, on an Apple M4 Pro; seconds of two machines are not compared. Reproduced: \
                    \(Self.rule.statement(of: "the whole interval of the share here")). \
                    \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows, notes: Estimate.coverageNote(estimates))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Mode", key: "mode", .text),
        .init("Wall, paper", key: "wall_paper_s", .seconds),
        .init("Wall, here", key: "wall_here_s", .seconds, hasInterval: true),
        .init("TTFT of A, here", key: "a_ttft_here_s", .seconds, hasInterval: true),
        .init("TTFT of B, paper", key: "b_ttft_paper_s", .seconds),
        .init("TTFT of B, here", key: "b_ttft_here_s", .seconds, hasInterval: true),
        .init("B done, paper", key: "b_wait_paper_s", .seconds),
        .init("B done, here", key: "b_wait_here_s", .seconds, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Share, paper", key: "share_paper", .share),
        .init("Share, here", key: "share_here", .share, hasInterval: true),
        .init("Verdict", key: "verdict", .text),
    ]

    private static func row(_ turns: [TurnSample], _ mode: String, _ paper: [String: Published.Times]) -> [ReportTable.Cell] {
        let own = turns.filter { $0.mode == mode }
        let (a, b) = (own.filter { $0.agent == "A" }, own.filter { $0.agent == "B" })
        let wall = Estimate(b.map(\.wallSeconds))
        func cell(_ path: KeyPath<Published.Times, Double>) -> ReportTable.Cell {
            paper[mode].map { .number($0[keyPath: path]) } ?? .missing("the paper has no such model")
        }
        let head: [ReportTable.Cell] = [
            .text(NumberText.context(turns[0].contextTokens)), .text(mode), cell(\.wall), .estimate(wall),
            .estimate(Estimate(a.map(\.ttftSeconds))), cell(\.ttft), .estimate(Estimate(b.map(\.ttftSeconds))),
            cell(\.wait), .estimate(Estimate(b.map(\.totalSeconds))), .count(b.count),
        ]
        guard mode == "batched" else {
            return head + Array(repeating: .missing("serving in turn is what the share is measured against"), count: 3)
        }
        let inTurn = Dictionary(
            turns.filter { $0.mode == "sequential" && $0.agent == "B" }.map { ($0.pass, $0.wallSeconds) },
            uniquingKeysWith: { first, _ in first })
        let shares = b.compactMap { turn in inTurn[turn.pass].map { turn.wallSeconds / $0 } }
        guard !shares.isEmpty else {
            let reason = "no pass served them in turn"
            return head + [.missing(reason), .missing(reason), .verdict(.notRunnable(reason: reason))]
        }
        let share = Estimate(shares)
        guard let batched = paper["batched"], let sequential = paper["sequential"] else {
            let reason = "the paper has no such model"
            return head + [.missing(reason), .estimate(share), .missing(reason)]
        }
        let published = batched.wall / sequential.wall
        return head + [
            .number(published), .estimate(share), .verdict(rule.decide(published: published, here: share)),
        ]
    }

    /// `figure03_staggered.csv`, by model and mode, in seconds.
    private struct Published {
        struct Times {
            var wall: Double
            var ttft: Double
            var wait: Double
        }
        var modes: [String: [String: Times]] = [:]

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("figure03_staggered")
            for row in 0..<table.rowCount {
                modes[try table.text(row, "model"), default: [:]][try table.text(row, "mode")] = Times(
                    wall: try table.number(row, "total_wall_s"), ttft: try table.number(row, "agent_b_ttft_s"),
                    wait: try table.number(row, "agent_b_wait_s"))
            }
        }
    }
}
