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

    var text: String {
        let place = { (x: Double) in String(format: "%.2f", x) }
        let pixels = { (dpi: Double) in
            "\(Int((grid.width * dpi).rounded())),\(Int((grid.height * dpi).rounded()))"
        }
        var lines = [
            "# \(title)",
            "# Draws \(id).svg, \(id).pdf and \(id).png from \(id).tsv: run `gnuplot \(id).gp` in this folder,",
            "# or `gnuplot -e \"formats='svg'\" \(id).gp` for one of them.",
            "if (!exists(\"formats\")) formats = \"svg pdf png\"",
            "set encoding utf8",
            "set datafile separator \"\\t\"",
            "set datafile columnheaders",
            "set datafile missing NaN",
        ]
        lines += definitions
        lines += [
            "do for [format in formats] {",
            "  if (format eq \"svg\") { set terminal svg noenhanced size \(pixels(96)) font \"Helvetica,11\" linewidth 1.25 background \"#ffffff\" }",
            "  if (format eq \"pdf\") { set terminal pdfcairo noenhanced size \(place(grid.width))in,\(place(grid.height))in font \"Helvetica,12\" linewidth 0.85 pointscale 0.8 }",
            "  if (format eq \"png\") { set terminal pngcairo noenhanced size \(pixels(200)) font \"Helvetica,8\" fontscale 2.3 linewidth 2.7 pointscale 2.7 background \"#ffffff\" }",
            "  set output \"\(id).\".format",
            "  set border 3 linecolor rgb \"\(Self.ink)\" linewidth 0.8",
            "  set tics nomirror out scale 0.5 textcolor rgb \"\(Self.ink)\"",
            "  set grid ytics linecolor rgb \"#DDDDDD\" linewidth 0.6 linetype 1",
            "  set errorbars 0.6 linewidth 1",
            "  unset key",
            "  set multiplot",
        ]
        let legend = grid.legend.commands(width: grid.width, height: grid.height)
        for (index, panel) in panels.enumerated() {
            // The legend belongs to the figure, so only the first panel draws it.
            guard !panel.isEmpty else { continue }
            let once = index == 0 ? legend : index == 1 ? ["unset label", "unset arrow", "unset object"] : []
            lines += (once + grid.place(index) + panel).map { "  " + $0.replacingOccurrences(of: "\n", with: "\n  ") }
        }
        lines += ["  unset multiplot", "  unset label", "  unset arrow", "  unset object", "  set output", "}", ""]
        return lines.joined(separator: "\n")
    }

    /// `plot` with its elements on lines of their own.
    static func plot(_ ranges: String, _ elements: [String]) -> String {
        "plot \(ranges) \\\n  " + elements.joined(separator: ", \\\n  ")
    }
}
