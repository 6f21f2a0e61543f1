import Foundation

/// Where the panels of a figure stand: a legend on top, then rows of equal panels. Lengths are in inches.
struct PanelGrid {
    let columns: Int
    let rows: Int
    let legend: FigureLegend
    private let panelWidth: Double
    private let panelHeight: Double
    /// Room left of the first panel of a row for its numbers and label, and of each other for its numbers.
    private let left: Double
    private let gap: Double
    /// Room above each panel for its title, and below for its numbers.
    private let titleHeight = 0.3
    private let footHeight = 0.56

    /// A column of panels is wider than panels side by side, unless `panelSize` says otherwise.
    init(columns: Int, rows: Int, legend: FigureLegend, panelSize: (width: Double, height: Double)? = nil) {
        let (width, height) = panelSize ?? (columns == 1 ? (4.2, 2.6) : (2.45, 2.15))
        self.init(
            columns: columns, rows: rows, legend: legend, panelWidth: width, panelHeight: height, left: 0.95, gap: 0.64)
    }

    init(
        columns: Int, rows: Int, legend: FigureLegend, panelWidth: Double, panelHeight: Double, left: Double, gap: Double
    ) {
        self.columns = columns
        self.rows = rows
        self.legend = legend
        self.panelWidth = panelWidth
        self.panelHeight = panelHeight
        self.left = left
        self.gap = gap
    }

    /// `count` panels in rows of at most three.
    init(count: Int, legend: FigureLegend) {
        let columns = min(count, 3)
        self.init(columns: columns, rows: (count + columns - 1) / columns, legend: legend)
    }

    private var legendHeight: Double { 0.1 + FigureLegend.rowHeight * Double(legend.rows(width: width - 0.2).count) }
    var width: Double { left + Double(columns) * panelWidth + Double(columns - 1) * gap + 0.18 }
    var height: Double { legendHeight + Double(rows) * (titleHeight + panelHeight + footHeight) }

    /// The commands that place panel `index`, counted along the rows.
    func place(_ index: Int) -> [String] {
        let x = left + Double(index % columns) * (panelWidth + gap)
        let row = Double(index / columns)
        let top = legendHeight + row * (titleHeight + panelHeight + footHeight) + titleHeight
        let margins = [
            ("lmargin", x / width), ("rmargin", (x + panelWidth) / width),
            ("bmargin", 1 - (top + panelHeight) / height), ("tmargin", 1 - top / height),
        ]
        return margins.map { "set \($0) at screen \(String(format: "%.4f", $1))" }
    }

    /// The command that labels the vertical axis: of the first panel of a row only.
    func yLabel(_ index: Int, _ text: String) -> String {
        index % columns == 0 ? "set ylabel \(GnuplotScript.string(text)) offset 0.4,0" : "unset ylabel"
    }
}
