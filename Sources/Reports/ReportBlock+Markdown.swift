extension ReportBlock {
    /// The block in GitHub-flavoured Markdown, ending in a line break.
    var markdown: String {
        switch self {
        case .heading(let level, let text): String(repeating: "#", count: level) + " \(Self.text(text))\n"
        case .paragraph(let parts): parts.map(\.markdown).joined() + "\n"
        case .list(let items): items.map { "- \(Self.text($0))\n" }.joined()
        case .grid(let header, let rows): Self.grid(header, rows)
        case .table(let table, let files): Self.table(table, files)
        case .rows(let table): table.markdownGrid + "\n"
        case .figure(let figure, let shown): Self.figure(figure, shown)
        }
    }

    private static func table(_ table: ReportTable, _ files: [ReportFormat]) -> String {
        let links = table.columns.isEmpty ? [] : files.filter { $0 != .md }
        let line = links.map { "[\($0.rawValue)](tables/\(table.id).\($0.rawValue))" }.joined(separator: " · ")
        return table.markdown + (line.isEmpty ? "" : "\n\(line)\n")
    }

    private static func figure(_ figure: Figure, _ shown: ReportFormat?) -> String {
        let path = "figures/\(figure.id)"
        let picture =
            switch shown {
            case nil: "Not drawn; `gnuplot \(figure.id).gp` in `figures/` draws it."
            case .pdf?: "[\(figure.id).pdf](\(path).pdf)"
            case let format?: "![\(text(figure.title))](\(path).\(format.rawValue))"
            }
        return """
            ### \(text(figure.title))

            \(picture)

            \(text(figure.caption)) Data: [\(figure.id).tsv](\(path).tsv), script: [\(figure.id).gp](\(path).gp).

            """
    }

    /// A pipe table; numbers to the right.
    private static func grid(_ header: [String], _ rows: [[String]]) -> String {
        let rule = header.indices.map { isNumeric($0, rows) ? "--:" : ":--" }
        let lines = [header.map(text), rule] + rows.map { $0.map(text) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    static func isNumeric(_ column: Int, _ rows: [[String]]) -> Bool { rows.allSatisfy { Int($0[column]) != nil } }

    private static func text(_ text: String) -> String { ReportTable.markdown(text) }
}

extension ReportBlock.Inline {
    var markdown: String {
        switch self {
        case .text(let text): ReportTable.markdown(text)
        case .link(let text, let address): "[\(ReportTable.markdown(text))](\(address))"
        case .code(let text): "`\(text)`"
        }
    }
}
