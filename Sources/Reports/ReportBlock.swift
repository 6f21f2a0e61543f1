/// A piece of the report. `report.md` and `report.html` are the same pieces, written by `ReportBlock+Markdown.swift` and
/// `HTML/ReportBlock+HTML.swift`.
enum ReportBlock {
    case heading(level: Int, String)
    case paragraph([Inline])
    case list([String])
    /// Texts in columns; an empty header is none.
    case grid(header: [String], rows: [[String]])
    /// A table with its title, caption, reasons and notes, and the formats in which it lies in `tables/`.
    case table(ReportTable, files: [ReportFormat])
    /// The columns and rows of a table alone.
    case rows(ReportTable)
    /// A figure, and the format of the drawing that Markdown shows; nil when none was drawn.
    case figure(Figure, shown: ReportFormat?)

    enum Inline {
        case text(String)
        case link(String, to: String)
        case code(String)
    }
}
