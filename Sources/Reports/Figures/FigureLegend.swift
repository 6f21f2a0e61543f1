import Foundation

/// The legend of a figure: a sample and a label per entry, in rows centred above the panels. Lengths are in inches.
struct FigureLegend {
    struct Entry {
        enum Sample {
            /// A line with a point; 0 is no point.
            case line(pointType: Int, dashed: Bool)
            /// A filled box.
            case box
            /// A short thick stroke.
            case stroke
        }
        var label: String
        var colour: String
        var sample: Sample
    }

    var entries: [Entry]

    static let rowHeight = 0.21
    private static let sampleWidth = 0.3
    /// Helvetica at 8 points is about this wide per character; labels are short, so this need not be exact.
    private static let characterWidth = 0.0585

    private static func width(_ entry: Entry) -> Double {
        sampleWidth + 0.07 + Double(entry.label.count) * characterWidth + 0.2
    }

    /// Entries in rows that fit into `width`.
    func rows(width: Double) -> [[Entry]] {
        var rows: [[Entry]] = []
        var used = Double.infinity
        for entry in entries {
            let need = Self.width(entry)
            if used + need > width {
                rows.append([entry])
                used = need
            } else {
                rows[rows.count - 1].append(entry)
                used += need
            }
        }
        return rows
    }

    /// The commands that draw it, in fractions of a figure of `width` by `height`.
    func commands(width: Double, height: Double) -> [String] {
        rows(width: width - 0.2).enumerated().flatMap { index, row in
            var x = (width - row.map(Self.width).reduce(0, +) + 0.2) / 2
            let y = 1 - (0.16 + Double(index) * Self.rowHeight) / height
            return row.flatMap { entry in
                defer { x += Self.width(entry) }
                return Self.commands(entry, x: x / width, end: (x + Self.sampleWidth) / width, y: y, height: height)
                    + [
                        String(format: "set label %@ at screen %.4f,%.4f left textcolor rgb \"%@\"",
                            GnuplotScript.string(entry.label), (x + Self.sampleWidth + 0.07) / width, y,
                            GnuplotScript.ink)
                    ]
            }
        }
    }

    private static func commands(_ entry: Entry, x: Double, end: Double, y: Double, height: Double) -> [String] {
        switch entry.sample {
        case .line(let pointType, let dashed):
            let line = String(
                format: "set arrow from screen %.4f,%.4f to screen %.4f,%.4f nohead linecolor rgb \"%@\" linewidth 1.4%@",
                x, y, end, y, entry.colour, dashed ? " dashtype (6,4)" : "")
            guard pointType > 0 else { return [line] }
            let point = String(
                format: "set label \"\" at screen %.4f,%.4f point pointtype %d pointsize 0.55 linecolor rgb \"%@\"",
                (x + end) / 2, y, pointType, entry.colour)
            return [line, point]
        case .box:
            let half = 0.055 / height
            return [
                String(
                    format: "set object rectangle from screen %.4f,%.4f to screen %.4f,%.4f fillcolor rgb \"%@\" fillstyle solid noborder",
                    x + (end - x) * 0.4, y - half, end, y + half, entry.colour)
            ]
        case .stroke:
            return [
                String(
                    format: "set arrow from screen %.4f,%.4f to screen %.4f,%.4f nohead linecolor rgb \"%@\" linewidth 2",
                    x + (end - x) * 0.3, y, end, y, entry.colour)
            ]
        }
    }
}
