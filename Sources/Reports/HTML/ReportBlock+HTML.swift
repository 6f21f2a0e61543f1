extension ReportBlock {
    /// The block as HTML. `drawings` are the figures' SVG texts by id.
    func html(drawings: [String: String]) -> String {
        switch self {
        case .heading(let level, let text):
            "<h\(level) id=\"\(HTML.anchor(text))\">\(HTML.escape(text))</h\(level)>\n"
        case .paragraph(let parts): "<p>\(parts.map(\.html).joined())</p>\n"
        case .list(let items): "<ul>\n" + items.map { "<li>\(HTML.escape($0))</li>\n" }.joined() + "</ul>\n"
        case .grid(let header, let rows): Self.grid(header, rows)
        case .table(let table, let files): Self.table(table, files)
        case .rows(let table): table.htmlGrid
        case .figure(let figure, _): Self.figure(figure, drawings[figure.id])
        }
    }

    /// What the table of contents shows; nil for blocks without a title.
    var title: (level: Int, text: String, anchor: String)? {
        switch self {
        case .heading(let level, let text): (level, text, HTML.anchor(text))
        case .table(let table, _): (3, table.title, HTML.anchor(table.id))
        case .figure(let figure, _): (3, figure.title, HTML.anchor(figure.id))
        case .paragraph, .list, .grid, .rows: nil
        }
    }

    private static func table(_ table: ReportTable, _ files: [ReportFormat]) -> String {
        let links = table.columns.isEmpty ? [] : files.map { "<a href=\"tables/\(table.id).\($0.rawValue)\">\($0.rawValue)</a>" }
        var parts = [
            "<section id=\"\(HTML.anchor(table.id))\">", "<h3>\(HTML.escape(table.title))</h3>",
            "<p class=\"caption\">\(HTML.escape(table.caption))</p>",
        ]
        if !table.columns.isEmpty { parts.append(table.htmlGrid) }
        let reasons = table.columns.isEmpty ? [] : table.reasons
        if !reasons.isEmpty {
            let listed = reasons.enumerated().map { index, reason in
                "<sup>\(ReportTable.letter(index))</sup> \(HTML.escape(reason))"
            }
            parts.append("<p class=\"reasons\">\(listed.joined(separator: "; ")).</p>")
        }
        if !table.notes.isEmpty {
            parts.append("<ul class=\"notes\">\(table.notes.map { "<li>\(HTML.escape($0))</li>" }.joined())</ul>")
        }
        if !links.isEmpty { parts.append("<p class=\"files\">\(links.joined(separator: " · "))</p>") }
        return parts.joined(separator: "\n") + "\n</section>\n"
    }

    private static func figure(_ figure: Figure, _ drawing: String?) -> String {
        let path = "figures/\(figure.id)"
        let picture =
            drawing.map { HTML.inline(svg: $0, id: figure.id, title: figure.title) }
            ?? "<p>Not drawn; <code>gnuplot \(figure.id).gp</code> in <code>figures/</code> draws it.</p>"
        return """
            <section id="\(HTML.anchor(figure.id))">
            <h3>\(HTML.escape(figure.title))</h3>
            <figure>
            \(picture)
            <figcaption>\(HTML.escape(figure.caption)) Data: <a href="\(path).tsv">\(figure.id).tsv</a>, script: \
            <a href="\(path).gp">\(figure.id).gp</a>.</figcaption>
            </figure>
            </section>

            """
    }

    private static func grid(_ header: [String], _ rows: [[String]]) -> String {
        let names = header.allSatisfy(\.isEmpty) ? "" : "<thead><tr>" + header.map { "<th>\(HTML.escape($0))</th>" }.joined() + "</tr></thead>"
        let body = rows.map { row in
            "<tr>"
                + row.indices.map { column in
                    let kind = isNumeric(column, rows) ? " class=\"number\"" : ""
                    return "<td\(kind)>\(HTML.escape(row[column]))</td>"
                }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table class=\"facts\">\(names)<tbody>\n\(body.joined(separator: "\n"))\n</tbody></table></div>\n"
    }
}

extension ReportBlock.Inline {
    var html: String {
        switch self {
        case .text(let text): HTML.escape(text)
        case .link(let text, let address): "<a href=\"\(HTML.escape(address))\">\(HTML.escape(text))</a>"
        case .code(let text): "<code>\(HTML.escape(text))</code>"
        }
    }
}
