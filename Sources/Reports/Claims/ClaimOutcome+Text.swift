import Foundation

extension ClaimOutcome {
    /// Lines for a terminal: verdict and place, the claim, what is published and what was found.
    /// - Parameter mark: what to make of the verdict, such as a colour.
    public func text(mark: (_ verdict: Verdict, _ text: String) -> String = { $1 }) -> String {
        let indent = "    "
        var lines = [
            "\(mark(verdict, verdict.text))  \(claim.id)  \(claim.paper), \(claim.place)", indent + claim.statement,
            "\(indent)Published: \(claim.published).",
        ]
        if let reason = verdict.reason {
            lines.append("\(indent)Here: \(verdict.text): \(reason).")
        } else {
            lines.append("\(indent)Here: \(here).")
        }
        if case .rule(let rule) = claim.decision { lines.append("\(indent)Rule: \(rule.statement).") }
        if !explanation.isEmpty { lines.append("\(indent)Medians of \(explanation).") }
        if let remark = claim.remark { lines.append(indent + remark) }
        return lines.joined(separator: "\n")
    }

    /// "41 claims: 10 reproduced, 3 differ, …"
    public static func counts(_ outcomes: [ClaimOutcome]) -> String { ClaimsTable.counts(outcomes) }

    /// All outcomes as a JSON array; numbers in the unit of each rule.
    public static func json(_ outcomes: [ClaimOutcome]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(outcomes.map(Entry.init)), as: UTF8.self)
    }

    private struct Entry: Encodable {
        struct Place: Encodable {
            var label: String
            var value, low, high: Double
            var n: Int
            var coverage: Double
            var holds: Bool
        }
        var id, paper, `where`, claim, published, rule, unit, verdict: String
        var reason, remark, explanation: String?
        var cases: [Place]

        init(_ outcome: ClaimOutcome) {
            let own = outcome.claim
            (id, paper, `where`, claim) = (own.id, own.paper, own.place, own.statement)
            (published, rule, unit) = (own.published, own.ruleText, own.unit.rawValue)
            (verdict, reason, remark) = (outcome.verdict.text, outcome.verdict.reason, own.remark)
            explanation = outcome.explanation.isEmpty ? nil : outcome.explanation
            cases = outcome.cases.map { one in
                let estimate = one.estimate
                return Place(
                    label: one.label, value: estimate.value, low: estimate.low, high: estimate.high,
                    n: estimate.sampleCount, coverage: estimate.coverage, holds: one.holds)
            }
        }
    }
}
