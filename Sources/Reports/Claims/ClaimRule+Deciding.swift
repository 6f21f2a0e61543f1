import Foundation
import Results

extension ClaimRule {
    /// What `results` say of the rule.
    /// - Throws: ``ReportsError/badClaim(file:line:problem:)`` when it names a table or a column that is not there.
    func decide(_ claim: Claim, _ results: ResultsFile, file: String) throws -> ClaimOutcome {
        guard let found = results.table(table.name), found.rowCount > 0 else {
            guard Self.knownTables.contains(table.name) || results.table(table.name) != nil else {
                let known = Self.knownTables.union(results.tables.map(\.schema.name)).sorted().joined(separator: ", ")
                throw ReportsError.badClaim(
                    file: file, line: table.line, problem: "there is no results table '\(table.name)'; there are \(known)")
            }
            return ClaimOutcome(claim: claim, verdict: absence("experiment '\(experiment)' was not run"))
        }
        let rows = ClaimRows(table: found, file: file)
        let cases = try cases(in: rows)
        guard !cases.isEmpty else {
            let wanted = RowCondition.text(self.rows + of)
            return ClaimOutcome(
                claim: claim,
                verdict: absence(
                    "experiment '\(experiment)' has no such rows in profile \(results.run.profile)"
                        + (wanted.isEmpty ? "" : ": \(wanted)")))
        }
        let labels = Self.labels(cases.map(\.key), splits(in: rows))
        let judged = zip(cases, labels).map { one, label in
            ClaimOutcome.Case(label: label, estimate: one.estimate, holds: bound.holds(one.estimate))
        }
        let failing = judged.firstIndex { !$0.holds }
        return ClaimOutcome(
            claim: claim, verdict: failing == nil ? .reproduced : .differs, cases: judged,
            explanation: try failing.map { try explanation(cases[$0].rows, labels[$0], rows) } ?? "")
    }

    /// The tables that experiments write.
    static var knownTables: Set<String> {
        Set(tableDefinitions.flatMap(\.needs) + figureDefinitions.flatMap(\.needs))
    }

    private func absence(_ reason: String) -> Verdict {
        withoutRows.map { .notRunnable(reason: $0) } ?? .notMeasured(reason: reason)
    }

    private struct Measured {
        var key: [String]
        var estimate: Estimate
        /// Rows that explain a failure: those divided by where the quotient is too small, else those divided.
        var rows: [Int]
    }

    /// The columns that tell cases apart.
    private func splits(in rows: ClaimRows) -> [Column] {
        let named = Set((of + (over ?? [])).map(\.column.name))
        let implied = Self.identity.filter { rows.has($0) && !named.contains($0) }
        return implied.map { Column(name: $0, line: table.line) } + each
    }

    private func cases(in rows: ClaimRows) throws -> [Measured] {
        let keys = try splits(in: rows).map { try rows.labels($0) }
        let sampleColumns = sample ?? (rows.has("pass") ? [Column(name: "pass", line: table.line)] : [])
        let samples = try sampleColumns.map { try rows.labels($0) }
        func cell(_ columns: [[String]], _ row: Int) -> [String] { columns.map { $0[row] } }
        func side(_ conditions: [RowCondition]) throws -> [[String]: [Int]] {
            let passes = try (self.rows + conditions).map { try $0.passes(rows) }
            let kept = rows.indices.filter { row in passes.allSatisfy { $0[row] } }
            return Dictionary(grouping: kept) { cell(keys, $0) }
        }
        let above = try side(of)
        let below = try over.map(side)
        let ordered = above.keys.sorted { a, b in
            zip(a, b).first { $0 != $1 }.map { $0.compare($1, options: .numeric) == .orderedAscending } ?? false
        }
        return try ordered.compactMap { key in
            let top = Dictionary(grouping: above[key]!) { cell(samples, $0) }
            let bottom = below.map { Dictionary(grouping: $0[key] ?? []) { cell(samples, $0) } }
            let shared = top.keys.filter { bottom == nil || bottom![$0] != nil }
                .sorted { $0.joined(separator: "\n") < $1.joined(separator: "\n") }
            var values = try value.of(shared.map { top[$0]! }, in: rows)
            if let bottom { values = zip(values, try value.of(shared.map { bottom[$0]! }, in: rows)).map { $0 / $1 } }
            values = values.filter(\.isFinite).map { $0 * unit.scale }
            guard !values.isEmpty else { return nil }
            return Measured(
                key: key, estimate: sampleColumns.isEmpty ? .exact(values[0]) : Estimate(values),
                rows: bound.wantsMore ? below?[key] ?? above[key]! : above[key]!)
        }
    }

    /// The shape or model and the context of each case, and whatever else differs between cases.
    private static func labels(_ keys: [[String]], _ splits: [Column]) -> [String] {
        let shown = splits.indices.filter { index in
            ["shape", "model", "context"].contains(splits[index].name) || Set(keys.map { $0[index] }).count > 1
        }
        return keys.map { key in shown.map { key[$0] }.filter { !$0.isEmpty }.joined(separator: ", ") }
    }

    private func explanation(_ own: [Int], _ label: String, _ rows: ClaimRows) throws -> String {
        let parts = try explain.compactMap { column -> String? in
            let values = try rows.numbers(column)
            let median = Statistics.median(own.map { values[$0] }.filter(\.isFinite))
            guard median.isFinite else { return nil }
            guard column.name.hasSuffix("_seconds") else { return "\(column.name) \(NumberText.short(median))" }
            let shown = Quantity.seconds.unit(for: [median])
            return "\(column.name.dropLast(8)) \(NumberText.short(median * shown.scale)) \(shown.name)"
        }
        return parts.isEmpty ? "" : "\(label): \(parts.joined(separator: ", "))"
    }
}
