import Foundation

/// A script that draws `<id>.svg`, `.pdf` and `.png` from `<id>.tsv` beside it: gnuplot 5.4 or newer.
///
/// Colours are those of Okabe and Ito, which colour-blind readers tell apart; series differ in the shape of their
/// points too.
struct GnuplotScript {
    let id: String
    let title: String
    let grid: PanelGrid
    /// Functions of the script, before anything is drawn.
    var definitions: [String] = []
    /// The commands of each panel, along the rows of the grid; the last of each is its `plot`, none is an empty place.
    var panels: [[String]] = []

    static let blue = "#0072B2"
    static let vermilion = "#D55E00"
    static let orange = "#E69F00"
    static let green = "#009E73"
    static let purple = "#CC79A7"
    static let sky = "#56B4E9"
    static let yellow = "#F0E442"
    static let grey = "#8C8C8C"
    static let ink = "#303030"

    /// `colour` mixed with white, for what stands in the background.
    static func pale(_ colour: String) -> String {
        let value = Int(colour.dropFirst(), radix: 16)!
        let mixed = [16, 8, 0].map { shift in (value >> shift & 0xFF) * 45 / 100 + 255 * 55 / 100 }
        return "#" + mixed.map { String(format: "%02X", $0) }.joined()
    }

    /// `text` as a gnuplot string in which nothing is markup.
    static func string(_ text: String) -> String {
        "\"" + text.map { "\\\"".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
    }

    /// The script. Sizes of fonts, lines and points are such that the three formats look alike.
    var text: String {
        let inches = [grid.width, grid.height].map { String(format: "%.2fin", $0) }.joined(separator: ",")
        let pixels = { (dpi: Double) in
            [grid.width, grid.height].map { String(format: "%.0f", $0 * dpi) }.joined(separator: ",")
        }
        let head = [
            "# \(title)",
            "# Draws \(id).svg, \(id).pdf and \(id).png from \(id).tsv: run `gnuplot \(id).gp` in this folder,",
            "# or `gnuplot -e \"formats='svg'\" \(id).gp` for one of them.",
            #"if (!exists("formats")) formats = "svg pdf png""#,
            "set encoding utf8",
            #"set datafile separator "\t""#,
            "set datafile columnheaders",
            "set datafile missing NaN",
        ]
        let setUp = [
            #"if (format eq "svg") { set terminal svg noenhanced size \#(pixels(96)) font "Helvetica,11" \"#,
            ##"  linewidth 1.25 background "#ffffff" }"##,
            #"if (format eq "pdf") { set terminal pdfcairo noenhanced size \#(inches) font "Helvetica,12" \"#,
            "  linewidth 0.85 pointscale 0.8 }",
            #"if (format eq "png") { set terminal pngcairo noenhanced size \#(pixels(200)) font "Helvetica,8" \"#,
            ##"  fontscale 2.3 linewidth 2.7 pointscale 2.7 background "#ffffff" }"##,
            #"set output "\#(id).".format"#,
            #"set border 3 linecolor rgb "\#(Self.ink)" linewidth 0.8"#,
            #"set tics nomirror out scale 0.5 textcolor rgb "\#(Self.ink)""#,
            ##"set grid ytics linecolor rgb "#DDDDDD" linewidth 0.6 linetype 1"##,
            "set errorbars 0.6 linewidth 1",
            "unset key",
            "set multiplot",
        ]
        // The legend belongs to the figure, so only the first panel draws it.
        let clear = ["unset label", "unset arrow", "unset object"]
        let legend = grid.legend.commands(width: grid.width, height: grid.height)
        let first = panels.firstIndex { !$0.isEmpty }
        let body = panels.enumerated().flatMap { index, panel in
            panel.isEmpty ? [] : (index == first ? legend : clear) + grid.place(index) + panel
        }
        let loop = (setUp + body + ["unset multiplot"] + clear + ["set output"]).map {
            "  " + $0.replacingOccurrences(of: "\n", with: "\n  ")
        }
        return (head + definitions + ["do for [format in formats] {"] + loop + ["}", ""]).joined(separator: "\n")
    }

    /// The commands of one panel: title, axes and `plot`, its elements on lines of their own.
    func panel(
        _ index: Int, title: String, yLabel: String, axes: [String], ranges: String, elements: [String]
    ) -> [String] {
        [
            "set title \(Self.string(title)) offset 0,-0.4", #"set xlabel "Context (tokens)" offset 0,0.3"#,
            grid.yLabel(index, yLabel),
        ] + axes + ["plot \(ranges) \\\n  " + elements.joined(separator: ", \\\n  ")]
    }

    /// One element of a `plot`: the points of the data file where `condition` holds. `columns` are x, y and what
    /// `style` takes besides.
    func element(where condition: String, _ columns: String..., style: String) -> String {
        let using = ["(\(condition) ? \(columns[0]) : NaN)"] + columns.dropFirst()
        return "'\(id).tsv' using \(using.joined(separator: ":")) \\\n    with \(style) notitle"
    }

    /// A field of the data file as the script compares it.
    static func field(_ text: String) -> String { string(TabSeparated.clean(text)) }

    /// Tics at the places of `values`, labelled as contexts: "1K", "2K".
    static func contextTics(_ contexts: [Int], at places: [Int]) -> String {
        let tics = zip(contexts, places).map { "\(string(NumberText.context($0))) \($1)" }
        return "set xtics (\(tics.joined(separator: ", ")))"
    }
}
