import Foundation

/// Every test of the speed grid under the roofs of the machine: what arithmetic and memory allow at its intensity.
struct FigureRoofline: FigureDefinition {
    let id = "F-roofline"
    let title = "Prefill and decode under the roofline"
    let needs = ["speed", "ceilings"]

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let speed = input.results.table("speed"), let table = input.results.table("ceilings") else { return [] }
        let rows = try SpeedRow.all(in: speed)
        let ceilings = try CeilingRow.all(in: table)
        guard !rows.isEmpty, let memory = ceilings.first(where: { $0.kind == "memory read" }).map({ Estimate($0.rates).value })
        else { return [] }
        let roofs = ceilings.filter(\.isArithmetic).map { (kind: $0.kind, rate: Estimate($0.rates).value) }
        var data = TabSeparated(columns: [
            "series", "label", "operations_per_byte", "gop_per_second", "low", "high",
        ])
        for row in rows {
            let speed = Estimate(row.operationsPerSecond)
            data.append([
                .text("\(row.shape) \(row.test)"), .text("\(row.model), \(row.scheme), \(row.label)"), .number(row.intensity),
                .number(speed.value / 1e9), .number(speed.low / 1e9), .number(speed.high / 1e9),
            ])
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Operations per second against operations per byte of weights and cache that a step must read: one \
                    point per model, cache scheme and test, with its interval. Lines: what memory and arithmetic \
                    allow, measured in the same run. \(input.provenance())
                    """,
                data: data.text, script: script(rows, roofs, memory).text)
        ]
    }

    private static let colours = [GnuplotScript.blue, GnuplotScript.vermilion, GnuplotScript.green, GnuplotScript.purple]

    private func script(_ rows: [SpeedRow], _ roofs: [(kind: String, rate: Double)], _ memory: Double) -> GnuplotScript {
        let shapes = orderedSet(rows.map(\.shape))
        let colour = { (index: Int) in Self.colours[index % Self.colours.count] }
        let entries =
            shapes.enumerated().map {
                FigureLegend.Entry(label: $1, colour: colour($0), sample: .line(pointType: 7, dashed: false))
            } + [
                FigureLegend.Entry(
                    label: "filled: prefill, open: decode", colour: GnuplotScript.ink,
                    sample: .line(pointType: 6, dashed: false))
            ]
        let grid = PanelGrid(count: 1, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(name) = strcol("series") eq name"#]
        let intensities = rows.map(\.intensity)
        let left = pow(10, floor(log10(intensities.min()! / 1.5))), right = pow(10, ceil(log10(intensities.max()! * 1.5)))
        let speeds = rows.flatMap(\.operationsPerSecond).map { $0 / 1e9 }
        let bottom = pow(10, floor(log10(speeds.min()! / 1.5)))
        let top = pow(10, ceil(log10((roofs.map(\.rate).max() ?? 1e9) / 1e9 * 1.2)))
        let lines = roofs.enumerated().map { index, roof in
            "(x*\(memory / 1e9) < \(roof.rate / 1e9) ? x*\(memory / 1e9) : \(roof.rate / 1e9)) "
                + "with lines linecolor rgb \"\(GnuplotScript.grey)\" linewidth 1.5 dashtype \(index + 1) notitle"
        }
        let labels = roofs.map { roof in
            "set label \(GnuplotScript.string("\(roof.kind), \(NumberText.short(roof.rate / 1e9)) GOP/s")) at \(right / 1.1),"
                + "\(roof.rate / 1e9) right offset 0,0.5 textcolor rgb \"\(GnuplotScript.ink)\""
        }
        let points = shapes.enumerated().flatMap { index, shape in
            [("prefill", 7), ("decode", 6)].map { test, point in
                script.element(
                    where: "of(\(GnuplotScript.field("\(shape) \(test)")))", #"column("operations_per_byte")"#, #""gop_per_second""#,
                    #""low""#, #""high""#,
                    style: "yerrorbars linecolor rgb \"\(colour(index))\" pointtype \(point) pointsize 0.8 linewidth 1")
            }
        }
        script.panels = [
            [
                #"set title "" "#, #"set xlabel "Operations per byte""#, grid.yLabel(0, "GOP/s"),
                "set logscale xy 10", "set xtics auto", #"set format xy "%.0s%c""#,
            ] + labels + [
                "plot [\(left):\(right)] [\(bottom):\(top)] \\\n  " + (lines + points).joined(separator: ", \\\n  ")
            ]
        ]
        return script
    }
}
