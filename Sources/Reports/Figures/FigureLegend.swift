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
            /// A point alone.
            case point(pointType: Int, size: Double)
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
                let label = Self.place((x + Self.sampleWidth + 0.07) / width, y)
                let text = GnuplotScript.string(entry.label)
                return Self.sample(entry, from: x / width, to: (x + Self.sampleWidth) / width, y: y, height: height)
                    + [#"set label \#(text) at \#(label) left textcolor rgb "\#(GnuplotScript.ink)""#]
            }
        }
    }

    private static func sample(_ entry: Entry, from x: Double, to end: Double, y: Double, height: Double) -> [String] {
        let colour = #"rgb "\#(entry.colour)""#
        switch entry.sample {
        case .line(let pointType, let dashed):
            let line =
                "set arrow from \(place(x, y)) to \(place(end, y)) nohead linecolor \(colour) linewidth 1.4"
                + (dashed ? " dashtype (6,4)" : "")
            let middle = place((x + end) / 2, y)
            let point = "set label \"\" at \(middle) point pointtype \(pointType) pointsize 0.55 linecolor \(colour)"
            return pointType == 0 ? [line] : [line, point]
        case .box:
            let half = 0.055 / height
            let corners = "from \(place(x + (end - x) * 0.4, y - half)) to \(place(end, y + half))"
            return ["set object rectangle \(corners) fillcolor \(colour) fillstyle solid noborder"]
        case .stroke:
            let start = place(x + (end - x) * 0.3, y)
            return ["set arrow from \(start) to \(place(end, y)) nohead linecolor \(colour) linewidth 2"]
        case .point(let pointType, let size):
            let middle = place(x + (end - x) * 0.7, y)
            return ["set label \"\" at \(middle) point pointtype \(pointType) pointsize \(size) linecolor \(colour)"]
        }
    }

    private static func place(_ x: Double, _ y: Double) -> String { String(format: "screen %.4f,%.4f", x, y) }
}
