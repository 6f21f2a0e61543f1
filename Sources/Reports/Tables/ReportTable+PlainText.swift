extension ReportTable {
    /// The table for a terminal: title, aligned columns, reasons; the caption is left to the files.
    public var plainText: String {
        guard !columns.isEmpty else { return "\(title)\n\(caption)\n" }
        let shown = shownColumns
        let reasons = reasons
        var grid = [shown.map(header)]
        for row in rows.indices {
            grid.append(
                shown.map { column in
                    text(row, column) + (mark(row, column, in: reasons).map { " (\($0))" } ?? "")
                })
        }
        let widths = shown.indices.map { index in grid.map { $0[index].count }.max() ?? 0 }
        var lines = grid.map { cells in
            let padded = zip(zip(shown, widths), cells).map { place, cell in
                pad(cell, to: place.1, columns[place.0].alignment)
            }
            return trimmedRight(padded.joined(separator: "  "))
        }
        lines.insert(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "), at: 1)
        for (index, reason) in reasons.enumerated() { lines.append("(\(Self.letter(index))) \(reason)") }
        return ([title] + lines).joined(separator: "\n") + "\n"
    }

    private func trimmedRight(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}
