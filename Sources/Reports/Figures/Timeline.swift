import Foundation

/// Who did what when: bars in lanes over time, one panel for each course of events, lanes from the top down.
struct Timeline {
    /// Something that took time.
    struct Bar {
        var lane: Int
        /// One of the timeline's kinds.
        var kind: String
        var fromSeconds: Double
        var toSeconds: Double
        /// What it spans of its lane, 0 to the timeline's `laneHeight`.
        var low = 0.0
        var high: Double
    }

    /// A moment that concerns every lane.
    struct Mark {
        var atSeconds: Double
        var label: String
    }

    /// A remark behind a bar.
    struct Note {
        var lane: Int
        var atSeconds: Double
        var text: String
    }

    struct Panel {
        var title: String
        var lanes: [String]
        var bars: [Bar] = []
        var marks: [Mark] = []
        var notes: [Note] = []

        var endSeconds: Double { bars.map(\.toSeconds).max() ?? 0 }
    }

    /// What bars can be, in the order in which they are drawn.
    var kinds: [(name: String, colour: String)]
    var panels: [Panel]
    /// Panels side by side: then only the first of a row names its lanes.
    var columns = 1
    /// What a bar of a whole lane's height is, and what heights are in the data file: "tokens".
    var laneHeight = 1.0
    var heightName = "share"
    /// Do all panels have the same scale of time?
    var sharesScale = true
    /// The height of a lane on paper, in inches.
    var laneInches = 0.3

    func figure(id: String, title: String, caption: String) -> Figure {
        Figure(id: id, title: title, caption: caption, data: data.text, script: script(id, title).text)
    }

    private var data: TabSeparated {
        var data = TabSeparated(columns: [
            "panel", "title", "lane", "agent", "kind", "from_seconds", "to_seconds", "low_\(heightName)",
            "high_\(heightName)",
        ])
        for (index, panel) in panels.enumerated() {
            for bar in panel.bars {
                data.append([
                    .count(index), .text(panel.title), .count(bar.lane), .text(panel.lanes[bar.lane]), .text(bar.kind),
                    .number(bar.fromSeconds), .number(bar.toSeconds), .number(bar.low), .number(bar.high),
                ])
            }
        }
        return data
    }

    private func script(_ id: String, _ title: String) -> GnuplotScript {
        let seen = Set(panels.flatMap { $0.bars.map(\.kind) })
        let drawn = kinds.filter { seen.contains($0.name) }
        let legend = FigureLegend(entries: drawn.map { .init(label: $0.name, colour: $0.colour, sample: .box) })
        let longest = panels.flatMap { $0.lanes.map(\.count) }.max() ?? 0
        let rows = (panels.count + columns - 1) / columns
        let grid = PanelGrid(
            columns: columns, rows: rows, legend: legend, panelWidth: columns == 1 ? 5.4 : 5.6 / Double(columns),
            panelHeight: laneInches * Double(panels.map(\.lanes.count).max() ?? 1) + 0.15,
            left: 0.25 + 0.0625 * Double(longest), gap: 0.25)
        let highest = panels.map(\.endSeconds).max() ?? 0
        let unit = Quantity.seconds.units.last { highest * $0.scale >= 1 } ?? Quantity.seconds.units[0]
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [
            "unit = \(ReportTable.number(unit.scale))  # \(unit.name) in a second",
            #"is(p, kind) = column("panel") == p && strcol("kind") eq kind"#,
            // Lanes go down, heights within a lane go up.
            "level(height) = column(\"lane\") + 0.94 - 0.84 * column(height) / \(ReportTable.number(laneHeight))",
        ]
        for (index, panel) in panels.enumerated() {
            // Remarks stand behind the bars.
            let room = panels.allSatisfy(\.notes.isEmpty) ? 1.02 : 1.22
            let end = (sharesScale ? highest : panel.endSeconds) * unit.scale * room
            script.panels.append(commands(script, index, panel, drawn, unit, end))
        }
        return script
    }

    /// 1, 2 or 5 times a power of ten, so that an axis up to `end` has no more than so many labels besides 0.
    static func step(to end: Double, labels: Int) -> Double {
        let least = end / Double(labels)
        let power = pow(10, floor(log10(least)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * 0.999999 }!
    }

    private func commands(
        _ script: GnuplotScript, _ index: Int, _ panel: Panel, _ drawn: [(name: String, colour: String)],
        _ unit: Quantity.Unit, _ end: Double
    ) -> [String] {
        let ink = #"rgb "\#(GnuplotScript.ink)""#
        let names = panel.lanes.enumerated().map { lane, name in
            "\(GnuplotScript.string(index % columns == 0 ? name : "")) \(Double(lane) + 0.5)"
        }
        let lines = (1..<max(panel.lanes.count, 1)).map { lane in
            "set arrow from graph 0,first \(lane) to graph 1,first \(lane) nohead back "
                + ##"linecolor rgb "#DDDDDD" linewidth 0.6"##
        }
        let marks = panel.marks.flatMap { mark -> [String] in
            let place = String(format: "%.5g", mark.atSeconds * unit.scale)
            return [
                "set arrow from \(place),graph 0 to \(place),graph 1 nohead front linecolor \(ink) "
                    + "linewidth 0.5 dashtype (2,3)",
                "set label \(GnuplotScript.string(mark.label)) at \(place),first -0.22 left offset 0.3,0 "
                    + "textcolor \(ink)",
            ]
        }
        let notes = panel.notes.map { note in
            let place = String(format: "%.5g,first %.1f", note.atSeconds * unit.scale, Double(note.lane) + 0.5)
            return "set label \(GnuplotScript.string(note.text)) at \(place) left offset 0.6,0 textcolor \(ink)"
        }
        let own = Set(panel.bars.map(\.kind))
        let bars = drawn.filter { own.contains($0.name) }.map { kind in
            script.element(
                where: "is(\(index), \(GnuplotScript.field(kind.name)))", #"column("from_seconds")*unit"#,
                "(level(\"low_\(heightName)\"))", #"(column("from_seconds")*unit)"#, #"(column("to_seconds")*unit)"#,
                "(level(\"high_\(heightName)\"))", "(level(\"low_\(heightName)\"))",
                style: "boxxyerror fillstyle solid noborder fillcolor rgb \"\(kind.colour)\"")
        }
        // A strip for marks, in every panel, so that lanes side by side are level.
        let top = panels.allSatisfy(\.marks.isEmpty) ? "0" : "-0.5"
        return [
            "set title \(GnuplotScript.string(panel.title)) offset 0,-0.4", "set xlabel \"Time (\(unit.name))\" offset 0,0.3",
            "unset ylabel", "set ytics (\(names.joined(separator: ", "))) scale 0",
            String(format: "set xtics %.5g scale 0.5", Self.step(to: end, labels: columns == 1 ? 10 : 5)),
            "unset grid",
        ] + lines + marks + notes + [
            String(format: "plot [0:%.5g] [%d:%@] \\\n  ", end, panel.lanes.count, top) + bars.joined(separator: ", \\\n  ")
        ]
    }
}

extension [TurnSample] {
    /// Do the rows say when each turn began?
    var haveTimes: Bool { !isEmpty && allSatisfy { $0.startSeconds.isFinite && $0.queuedSeconds.isFinite } }

    /// The pass whose `seconds` is the median of all passes, the lower of two.
    func medianPass(by seconds: ([TurnSample]) -> Double) -> Int? {
        let passes = Dictionary(grouping: self, by: \.pass).map { (pass: $0.key, seconds: seconds($0.value)) }
            .sorted { ($0.seconds, $0.pass) < ($1.seconds, $1.pass) }
        return passes.isEmpty ? nil : passes[(passes.count - 1) / 2].pass
    }
}
