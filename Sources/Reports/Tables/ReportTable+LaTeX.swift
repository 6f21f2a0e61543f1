extension ReportTable {
    /// The table as a LaTeX float with booktabs rules. It compiles with `\usepackage{booktabs}` under pdfLaTeX,
    /// XeLaTeX and LuaLaTeX; `graphicx` is used to fit a wide table, as `\resizebox`.
    public var latex: String {
        guard !columns.isEmpty else {
            return "% \(title)\n\\paragraph{\(Self.latex(title))} \(Self.latex(caption))\n"
        }
        let shown = shownColumns
        let reasons = reasons
        let places = shown.map { columns[$0].isLong ? "p{4cm}" : columns[$0].alignment == .left ? "l" : "r" }.joined()
        var lines = [
            "% \\usepackage{booktabs,graphicx}",
            "\\begin{table}[t]",
            "  \\centering",
            "  \\caption{\\textbf{\(Self.latex(title)).} \(Self.latex(caption))}",
            "  \\label{tab:\(id)}",
            "  \\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
            "  \\begin{tabular}{@{}\(places)@{}}",
            "    \\toprule",
            "    " + shown.map { Self.latex(header($0)) }.joined(separator: " & ") + " \\\\",
            "    \\midrule",
        ]
        for row in rows.indices {
            if startsGroup(row) { lines.append("    \\addlinespace") }
            let cells = shown.map { column in
                Self.latex(text(row, column))
                    + (mark(row, column, in: reasons).map { "\\textsuperscript{\($0)}" } ?? "")
            }
            // A "[" after "\\\\" would be read as its optional argument.
            let guarded = cells[0].hasPrefix("[") ? "{}" : ""
            lines.append("    " + guarded + cells.joined(separator: " & ") + " \\\\")
        }
        lines += ["    \\bottomrule", "  \\end{tabular}}"]
        let listed = reasons.enumerated().map { "\\textsuperscript{\(Self.letter($0))} \(Self.latex($1))" }
        let remarks = (listed.isEmpty ? [] : [listed.joined(separator: "; ") + "."]) + notes.map(Self.latex)
        if !remarks.isEmpty {
            lines.append("  \\par\\smallskip\\begin{minipage}{\\linewidth}\\footnotesize")
            lines += remarks.map { "    \($0)\\par" }
            lines.append("  \\end{minipage}")
        }
        return (lines + ["\\end{table}", ""]).joined(separator: "\n")
    }

    /// True where the first column changes, in a table in which it repeats.
    private func startsGroup(_ row: Int) -> Bool {
        let repeats = rows.indices.dropFirst().contains { rows[$0][0] == rows[$0 - 1][0] }
        return row > 0 && repeats && rows[row][0] != rows[row - 1][0]
    }

    /// `text` with TeX's special characters escaped and the symbols of the reports spelled as commands.
    static func latex(_ text: String) -> String {
        var out = ""
        var isQuoting = false
        for character in text {
            switch character {
            case "\"":
                out += isQuoting ? "''" : "``"
                isQuoting.toggle()
            case "\\": out += "\\textbackslash{}"
            case "{", "}", "$", "&", "#", "%", "_": out += "\\\(character)"
            case "~": out += "\\textasciitilde{}"
            case "^": out += "\\textasciicircum{}"
            case "<": out += "$<$"
            case ">": out += "$>$"
            case "×": out += "$\\times$"
            case "÷": out += "$\\div$"
            case "−": out += "$-$"
            case "µ", "μ": out += "$\\mu$"
            case "≤": out += "$\\leq$"
            case "≥": out += "$\\geq$"
            case "→": out += "$\\to$"
            case "–": out += "--"
            case _ where character.isNewline: out += " "
            default: out.append(character)
            }
        }
        return out
    }
}
