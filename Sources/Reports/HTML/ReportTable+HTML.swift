extension ReportTable {
    /// Columns and rows; each header sorts by its column.
    var htmlGrid: String {
        let shown = shownColumns
        let reasons = reasons
        let head = shown.map { column in
            "<th scope=\"col\"\(kind(column))><button type=\"button\">\(HTML.escape(header(column)))</button></th>"
        }
        let body = rows.indices.map { row in
            "<tr>"
                + shown.map { column in
                    let mark = mark(row, column, in: reasons).map { "<sup>\($0)</sup>" } ?? ""
                    return "<td\(kind(column))\(sortKey(row, column))>\(html(row, column))\(mark)</td>"
                }.joined() + "</tr>"
        }
        return """
            <div class="scroll"><table class="sortable">
            <thead><tr>\(head.joined())</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody>
            </table></div>

            """
    }

    private func kind(_ column: Int) -> String {
        if columns[column].isLong { return " class=\"long\"" }
        return columns[column].alignment == .right ? " class=\"number\"" : ""
    }

    /// The number to sort by, for cells whose text is rounded or has a unit.
    private func sortKey(_ row: Int, _ column: Int) -> String {
        if let number = rows[row][column].number { return " data-key=\"\(Self.number(number))\"" }
        // Contexts are texts: "32K".
        let text = text(row, column)
        guard text.hasSuffix("K"), let thousands = Int(text.dropLast()) else { return "" }
        return " data-key=\"\(thousands * 1024)\""
    }

    private func html(_ row: Int, _ column: Int) -> String {
        let text = HTML.escape(text(row, column))
        switch rows[row][column] {
        case .verdict(let verdict):
            return "<span class=\"verdict \(HTML.anchor(verdict.text))\">\(text)</span>"
        case .estimate:
            guard let bracket = text.firstIndex(of: "[") else { return text }
            return "\(text[..<bracket])<span class=\"interval\">\(text[bracket...])</span>"
        case .missing: return "<span class=\"missing\">\(text)</span>"
        case .text, .number: return text
        }
    }
}
