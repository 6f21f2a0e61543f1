import Foundation

extension RunComparison {
    /// For a terminal: facts that differ, what changed, and how many numbers did and did not.
    public var text: String {
        var parts: [String] = []
        if !facts.isEmpty {
            parts.append(
                Self.table(
                    "What differs between the runs", ["Fact", "First", "Second"], facts.map { [$0.name, $0.first, $0.second] }))
        }
        let changed = cells.filter { $0.kind == .changed }
        if !changed.isEmpty {
            parts.append(
                Self.table(
                    "What changed", ["Table", "Row", "Column", "First", "Second", "Second ÷ first"],
                    changed.map { [$0.table, $0.row, $0.column, $0.first, $0.second, $0.ratio.map(NumberText.short) ?? "–"] }))
        }
        for kind in [Kind.onlyInFirst, .onlyInSecond] where count(kind) > 0 {
            let tables = orderedSet(cells.filter { $0.kind == kind }.map(\.table))
            parts.append("Numbers \(kind.rawValue): \(count(kind)), in \(tables.joined(separator: ", ")).\n")
        }
        let counts = Kind.allCases.map { "\(count($0)) \($0.rawValue)" }.joined(separator: ", ")
        parts.append("\(cells.count) numbers: \(counts).\n")
        parts.append(
            """
            Undecided numbers have no interval. Of two equal runs, \(NumberText.short(expectedByChance)) estimates would be said to \
            have changed by chance.

            """)
        return parts.joined(separator: "\n")
    }

    /// Facts, counts and every number that is not the same, as JSON.
    public func json() throws -> String {
        struct Entry: Encodable {
            var table, row, column, first, second, kind: String
            var ratio: Double?
        }
        struct Whole: Encodable {
            struct Fact: Encodable { var name, first, second: String }
            var facts: [Fact]
            var counts: [String: Int]
            var expectedByChance: Double
            var isSame: Bool
            var cells: [Entry]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let whole = Whole(
            facts: facts.map { .init(name: $0.name, first: $0.first, second: $0.second) },
            counts: Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0.rawValue, count($0)) }),
            expectedByChance: expectedByChance, isSame: isSame,
            cells: cells.filter { $0.kind != .same }.map {
                Entry(
                    table: $0.table, row: $0.row, column: $0.column, first: $0.first, second: $0.second, kind: $0.kind.rawValue,
                    ratio: $0.ratio.flatMap { $0.isFinite ? $0 : nil })
            })
        return String(decoding: try encoder.encode(whole), as: UTF8.self)
    }

    private static func table(_ title: String, _ header: [String], _ rows: [[String]]) -> String {
        ReportTable(
            id: "comparison", title: title, caption: "",
            columns: header.map { .init($0, key: $0, .text) }, rows: rows.map { $0.map(ReportTable.Cell.text) }
        ).plainText
    }
}
