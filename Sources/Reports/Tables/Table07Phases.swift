/// P1, Table 7: mean TTFT of each of five phases, computed whole at each turn and appended to agents' caches.
struct Table07Phases: TableDefinition {
    let id = "T7"
    let title = "Table 7. Five phases of four agents"
    let needs = ["phases"]

    static let rule = VerdictRule.atLeast(share: 0.8)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        return try input.turnBlocks("phases").map { block in
            let model = block.turns[0].paperModel
            let rows = Set(block.turns.map(\.contextTokens)).sorted().flatMap { context in
                let own = block.turns.filter { $0.contextTokens == context }
                return orderedSet(own.map(\.state)).sorted().map { phase in
                    row(phase, own.filter { $0.state == phase }, published.times[[model, phase]]) { $0.ttftSeconds }
                } + [row("total wall", own, published.times[[model, "total wall s"]]) { $0.totalSeconds }]
            }
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) Mean TTFT of a phase's turns, median over n passes with its \
                    non-parametric interval; the last row is the time of all turns. Gain: cold ÷ persistent within the \
                    same pass. Paper: P1, Table 7, which has Gemma 3 12B and DeepSeek-Coder-V2-Lite; its cold wall time \
                    holds five sleeps of 1 s that its persistent one has not, ours has none. Scenes are synthetic tokens. \
                    Reproduced: \(Self.rule.statement(of: "the whole interval of the gain here")). \
                    \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.flatMap(\.self).compactMap(\.estimate)))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Phase", key: "phase", .text),
        .init("Hit / prompt tokens", key: "hit_share", .share),
        .init("Cold, paper", key: "cold_paper_s", .seconds),
        .init("Cold, here", key: "cold_here_s", .seconds, hasInterval: true),
        .init("Persistent, paper", key: "persistent_paper_s", .seconds),
        .init("Persistent, here", key: "persistent_here_s", .seconds, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Gain, paper", key: "gain_paper", .factor),
        .init("Gain, here", key: "gain_here", .factor, hasInterval: true),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(
        _ name: String, _ turns: [TurnSample], _ paper: (cold: Double, persistent: Double)?,
        seconds: (TurnSample) -> Double
    ) -> [ReportTable.Cell] {
        let isWall = name == "total wall"
        func perPass(_ mode: String) -> [Int: Double] {
            Dictionary(grouping: turns.filter { $0.mode == mode }, by: \.pass).mapValues { own in
                own.reduce(0) { $0 + seconds($1) } / (isWall ? 1 : Double(own.count))
            }
        }
        let (cold, kept) = (perPass("cold"), perPass("persistent"))
        let passes = Set(cold.keys).intersection(kept.keys).sorted()
        let gain = Estimate(passes.map { cold[$0]! / kept[$0]! })
        let own = turns.filter { $0.mode == "persistent" }
        let hits = Double(own.reduce(0) { $0 + $1.hitTokens }) / Double(own.reduce(0) { $0 + $1.promptTokens })
        let absent = "the paper has no such model"
        return [
            .text(name), .number(hits), paper.map { .number($0.cold) } ?? .missing(absent),
            .estimate(Estimate(passes.map { cold[$0]! })), paper.map { .number($0.persistent) } ?? .missing(absent),
            .estimate(Estimate(passes.map { kept[$0]! })), .count(passes.count),
            paper.map { .number($0.cold / $0.persistent) } ?? .missing(absent), .estimate(gain),
            paper.map { .verdict(Self.rule.decide(published: $0.cold / $0.persistent, here: gain)) } ?? .missing(absent),
        ]
    }

    /// `table07_multi_phase.csv` by model and phase, in seconds; the last row of the file is in seconds, the others in
    /// milliseconds.
    private struct Published {
        var times: [[String]: (cold: Double, persistent: Double)] = [:]

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("table07_multi_phase")
            for row in 0..<table.rowCount {
                let phase = try table.text(row, "phase")
                let perSecond = phase.hasSuffix(" s") ? 1.0 : 1000
                for (model, prefix) in [("gemma3-12b", "gemma"), ("deepseek-v2-lite", "deepseek")] {
                    times[[model, phase]] = (
                        try table.number(row, "\(prefix)_cold_ms") / perSecond,
                        try table.number(row, "\(prefix)_persistent_ms") / perSecond
                    )
                }
            }
        }
    }
}
