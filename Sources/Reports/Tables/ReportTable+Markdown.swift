extension ReportTable {
    /// The table in GitHub-flavoured Markdown: title, caption, pipe table, reasons and notes.
    public var markdown: String {
        var lines = ["### \(Self.markdown(title))", "", Self.markdown(caption)]
        if !columns.isEmpty {
            lines += ["", markdownGrid]
            let reasons = reasons
            if !reasons.isEmpty {
                let listed = reasons.enumerated().map { "<sup>\(Self.letter($0))</sup> \(Self.markdown($1))" }
                lines += ["", listed.joined(separator: "; ") + "."]
            }
        }
        if !notes.isEmpty { lines += [""] + notes.map { "- \(Self.markdown($0))" } }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Header, rule and rows alone, padded so that the source reads as a table too.
    var markdownGrid: String {
        let shown = shownColumns
        let reasons = reasons
        var grid = [shown.map { Self.markdown(header($0)) }]
        for row in rows.indices {
            grid.append(
                shown.map { column in
                    let mark = mark(row, column, in: reasons).map { " <sup>\($0)</sup>" } ?? ""
                    return Self.markdown(text(row, column)) + mark
                })
        }
        let widths = shown.indices.map { index in max(3, grid.map { $0[index].count }.max() ?? 0) }
        let rule = zip(shown, widths).map { column, width in
            columns[column].alignment == .left
                ? ":" + String(repeating: "-", count: width - 1) : String(repeating: "-", count: width - 1) + ":"
        }
        let lines = grid.map { cells in
            zip(zip(shown, widths), cells).map { place, cell in
                pad(cell, to: place.1, columns[place.0].alignment)
            }
        }
        return ([lines[0], rule] + lines.dropFirst())
            .map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// `text` with everything escaped that Markdown would read as markup, on one line.
    static func markdown(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\", "|", "*", "_", "`", "<": out += "\\\(character)"
            case _ where character.isNewline: out += " "
            default: out.append(character)
            }
        }
        return out
    }
}

/// `text` filled up with spaces to `width` characters.
func pad(_ text: String, to width: Int, _ alignment: ReportTable.Alignment) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return alignment == .left ? text + space : space + text
}
