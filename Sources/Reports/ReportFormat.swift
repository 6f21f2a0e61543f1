/// A kind of file that a report consists of. The report itself, `report.md`, and each figure's .tsv and .gp are
/// always written.
public enum ReportFormat: String, Sendable, CaseIterable {
    /// Tables.
    case md, csv, tex
    /// Figures.
    case svg, pdf, png
    /// The whole report in one page, `report.html`.
    case html

    public var isTable: Bool {
        switch self {
        case .md, .csv, .tex: true
        case .svg, .pdf, .png, .html: false
        }
    }

    public var isFigure: Bool {
        switch self {
        case .md, .csv, .tex, .html: false
        case .svg, .pdf, .png: true
        }
    }
}
