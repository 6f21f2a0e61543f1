import Foundation

/// A heat map of layers and parts of them: the darker, the more a quantized cache changes predictions.
struct FigureSensitivity: FigureDefinition {
    let id = "F-sensitivity"
    let title = "One layer quantized at a time"
    let needs = ["sensitivity"]

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("sensitivity"), table.rowCount > 0 else { return [] }
        let single = try LayerSensitivity.all(table).filter { $0.layer != nil }
        let maps = orderedSet(single.map { [$0.model, $0.scheme] })
        var data = TabSeparated(columns: ["panel", "model", "scheme", "layer", "part", "row", "kld"])
        for series in single {
            data.append([
                .count(maps.firstIndex(of: [series.model, series.scheme])!), .text(series.model), .text(series.scheme),
                .count(series.layer!), .text(series.part), .count(Self.row(series.part)), .number(series.mean),
            ])
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Mean KL divergence in nats with the keys, the values or both of one layer quantized; the colour's scale is \
                    logarithmic and the same in all panels. \(input.provenance())
                    """,
                data: data.text, script: script(single, maps).text)
        ]
    }

    /// Keys on top.
    private static func row(_ part: String) -> Int {
        TableSensitivity.parts.count - 1 - TableSensitivity.parts.firstIndex(of: part)!
    }

    private func script(_ single: [LayerSensitivity], _ maps: [[String]]) -> GnuplotScript {
        let grid = PanelGrid(columns: 1, rows: maps.count, legend: FigureLegend(entries: []))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p) = column("panel") == p"#]
        let means = single.map(\.mean).filter { $0 > 0 }
        let (low, high) = (means.min() ?? 1e-6, means.max() ?? 1)
        let tics = TableSensitivity.parts.map { "\(GnuplotScript.string($0)) \(Self.row($0))" }.joined(separator: ", ")
        for (panel, map) in maps.enumerated() {
            let layers = single.filter { [$0.model, $0.scheme] == map }.compactMap(\.layer).max()! + 1
            var elements = [
                script.element(
                    where: "of(\(panel))", #"column("layer")"#, #""row""#, #"(column("layer") - 0.5)"#,
                    #"(column("layer") + 0.5)"#, #"(column("row") - 0.5)"#, #"(column("row") + 0.5)"#, #""kld""#,
                    style: "boxxyerror fillstyle solid 1 noborder linecolor palette")
            ]
            // Numbers fit into the cells of small models only.
            if layers <= 12 {
                elements.append(
                    script.element(
                        where: "of(\(panel))", #"column("layer")"#, #""row""#, #"(sprintf("%.2g", column("kld")))"#,
                        style: "labels textcolor rgb \"\(GnuplotScript.ink)\""))
            }
            script.panels.append(
                [
                    "set title \(GnuplotScript.string("\(map[0]), \(map[1])")) offset 0,-0.4",
                    #"set xlabel "Layer" offset 0,0.3"#, "unset ylabel", "unset grid", "unset colorbox",
                    "set logscale cb 10", String(format: "set cbrange [%.3g:%.3g]", low, high * 1.0001),
                    "set palette defined (0 \"#FFFFFF\", 1 \"\(GnuplotScript.orange)\", 2 \"\(GnuplotScript.vermilion)\")",
                    "set xtics \(max(1, layers / 12))", "set ytics (\(tics))",
                ] + ["plot [-0.5:\(layers).0-0.5] [-0.5:2.5] \\\n  " + elements.joined(separator: ", \\\n  ")])
        }
        return script
    }
}
