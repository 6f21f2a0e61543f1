/// The ledger as tables, one for each paper.
struct ClaimsTable {
    var outcomes: [ClaimOutcome]
    /// Whether the rules are those that stood when the run began.
    var age: String

    var tables: [ReportTable] {
        [("P1", "Claims of Agent Memory Below the Prompt"), ("P2", "Claims of QKVShare")].compactMap { paper, title in
            let own = outcomes.filter { $0.claim.paper == paper }
            guard !own.isEmpty else { return nil }
            return ReportTable(
                id: "claims-\(paper)", title: title,
                caption: """
                    \(Self.counts(own)). The rule of each claim stands beside it: ratios, orders and exact counts within \
                    one machine, never seconds of two. \(age) Brackets: interval of the median over passes; the whole of \
                    it must lie within the bound, in every case. A shape that stands for a model of the paper may be scaled \
                    down; its name is shown.
                    """,
                columns: Self.columns, rows: own.map(row),
                notes: own.flatMap { outcome in
                    [
                        outcome.claim.remark.map { "\(outcome.claim.id): \($0)" },
                        outcome.explanation.isEmpty
                            ? nil : "\(outcome.claim.id) differs. Medians of \(outcome.explanation).",
                    ].compactMap(\.self)
                })
        }
    }

    /// "41 claims: 10 reproduced, …"
    static func counts(_ outcomes: [ClaimOutcome]) -> String {
        let parts = counts(of: outcomes.map(\.verdict)).map { word, count in
            "\(count) \(word == "differs" && count != 1 ? "differ" : word)"
        }
        return "\(outcomes.count) claims: \(parts.joined(separator: ", "))"
    }

    /// How often each verdict that occurs stands in the tables of the ledger.
    static func counts(of tables: [ReportTable]) -> [(verdict: String, count: Int)] {
        counts(of: tables.flatMap { $0.rows.joined() }.compactMap { if case .verdict(let verdict) = $0 { verdict } else { nil } })
    }

    private static func counts(of verdicts: [Verdict]) -> [(verdict: String, count: Int)] {
        let words = verdicts.map(\.text)
        return ["reproduced", "differs", "not measured in this run", "not runnable here"].compactMap { word in
            let count = words.count { $0 == word }
            return count == 0 ? nil : (word, count)
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Id", key: "id", .text),
        .init("Verdict", key: "verdict", .text),
        .init("Claim", key: "claim", .text, isLong: true),
        .init("Where", key: "where", .text),
        .init("Published", key: "published", .text, isLong: true),
        .init("Here", key: "here", .text, isLong: true),
        .init("Rule", key: "rule", .text, isLong: true),
    ]

    private func row(_ outcome: ClaimOutcome) -> [ReportTable.Cell] {
        let claim = outcome.claim
        let here = outcome.here
        return [
            .text(claim.id), .verdict(outcome.verdict), .text(claim.statement), .text(claim.place), .text(claim.published),
            outcome.verdict.reason.map(ReportTable.Cell.missing) ?? .text(here),
            .text(claim.ruleText),
        ]
    }
}

extension Claim {
    /// The rule in words; "none" for a claim that has none.
    var ruleText: String {
        if case .rule(let rule) = decision { rule.statement } else { "none" }
    }

    var unit: ClaimUnit {
        if case .rule(let rule) = decision { rule.unit } else { .plain }
    }
}

extension ClaimOutcome {
    /// What was measured, in words: every case where they are few, else how many hold and the range.
    var here: String {
        let unit = claim.unit
        func number(_ x: Double) -> String {
            unit == .agents ? NumberText.fixed(x, decimals: 0) : NumberText.short(x)
        }
        func text(_ one: Case) -> String {
            unit.text(one.estimate.sampleCount == 1 ? number(one.estimate.value) : NumberText.interval(one.estimate, scale: 1))
        }
        if cases.count <= 3 { return cases.map { "\($0.label): \(text($0))" }.joined(separator: "; ") }
        let values = cases.map(\.estimate.value)
        let ends = orderedSet([number(values.min()!), number(values.max()!)])
        let range = unit.text(ends.joined(separator: " to "))
        let failing = cases.filter { !$0.holds }
        guard let first = failing.first else { return "\(range), holds in all \(cases.count) cases" }
        return "\(range), holds in \(cases.count - failing.count) of \(cases.count) cases, not in \(first.label): \(text(first))"
    }
}
