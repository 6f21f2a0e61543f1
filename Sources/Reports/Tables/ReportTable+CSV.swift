extension ReportTable {
    /// The table as comma-separated text with full-precision numbers in base units: every column, those with an
    /// interval as value, low and high, and last a column `notes` that says why which cells of the row are empty.
    public var csv: String {
        var header: [String] = []
        for column in columns {
            header += column.hasInterval ? [column.key, column.key + "_low", column.key + "_high"] : [column.key]
        }
        var lines = [header + ["notes"]]
        for row in rows {
            var fields: [String] = []
            var without: [String: [String]] = [:]
            for (column, cell) in zip(columns, row) {
                fields += Self.fields(cell, of: column)
                if let reason = cell.reason { without[reason, default: []].append(column.key) }
            }
            let notes = orderedSet(row.compactMap(\.reason)).map { reason in
                "\(reason): \(without[reason]!.joined(separator: " "))"
            }
            lines.append(fields + [notes.joined(separator: "; ")])
        }
        return lines.map { $0.map(CommaSeparated.escape).joined(separator: ",") + "\n" }.joined()
    }

    private static func fields(_ cell: Cell, of column: Column) -> [String] {
        let values: [String] =
            switch cell {
            case .text(let text): [text]
            case .number(let x): [number(x)]
            case .estimate(let estimate): [estimate.value, estimate.low, estimate.high].map(number)
            case .verdict(let verdict): [verdict.text]
            case .missing: []
            }
        let width = column.hasInterval ? 3 : 1
        return Array(values.prefix(width)) + Array(repeating: "", count: max(0, width - values.count))
    }

    /// The shortest text that reads back as the same number; whole numbers without a point.
    static func number(_ x: Double) -> String {
        Int64(exactly: x).map(String.init) ?? "\(x)"
    }
}
