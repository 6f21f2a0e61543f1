import Foundation

/// Heat maps of layers, and of single heads, and parts of them: the darker, the more a quantized cache changes predictions.
struct FigureSensitivity: FigureDefinition {
    let id = "F-sensitivity"
    let title = "One layer quantized at a time"
    let needs = ["sensitivity"]

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("sensitivity"), table.rowCount > 0 else { return [] }
        let all = try LayerSensitivity.all(table)
        let scale = "the colour's scale is logarithmic and the same in all panels."
        let layers = figure(
            id, title, all.filter { $0.layer != nil && $0.head == nil },
            caption: """
                Mean KL divergence in nats with the keys, the values or both of one layer quantized; \(scale) \(input.provenance())
                """)
        let heads = figure(
            "\(id)-heads", "One head quantized at a time", all.filter { $0.head != nil },
            caption: """
                Mean KL divergence in nats with the keys or the values of one KV head encoded and decoded before they are stored, \
                heads named by their layer and their number in it; \(scale) \(input.provenance())
                """)
        return [layers, heads].compactMap { $0 }
    }

    private func figure(_ id: String, _ title: String, _ single: [LayerSensitivity], caption: String) -> Figure? {
        guard !single.isEmpty else { return nil }
        let maps = orderedSet(single.map { [$0.model, $0.scheme] })
        let parts = TableSensitivity.parts.filter { part in single.contains { $0.part == part } }
        var data = TabSeparated(columns: ["panel", "model", "scheme", "subject", "column", "part", "row", "kld"])
        for series in single {
            let own = single.filter { [$0.model, $0.scheme] == [series.model, series.scheme] }
            data.append([
                .count(maps.firstIndex(of: [series.model, series.scheme])!), .text(series.model), .text(series.scheme),
                .text(Self.name(series)), .count(orderedSet(own.map(Self.name)).firstIndex(of: Self.name(series))!),
                .text(series.part), .count(Self.row(series.part, of: parts)), .number(series.mean),
            ])
        }
        return Figure(
            id: id, title: title, caption: caption, data: data.text, script: script(id, title, single, maps, parts).text)
    }

    /// "3", or "3.1" for head 1 of layer 3.
    private static func name(_ series: LayerSensitivity) -> String {
        "\(series.layer!)" + (series.head.map { ".\($0)" } ?? "")
    }

    /// Keys on top.
    private static func row(_ part: String, of parts: [String]) -> Int { parts.count - 1 - parts.firstIndex(of: part)! }

    private func script(
        _ id: String, _ title: String, _ single: [LayerSensitivity], _ maps: [[String]], _ parts: [String]
    ) -> GnuplotScript {
        let grid = PanelGrid(columns: 1, rows: maps.count, legend: FigureLegend(entries: []))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p) = column("panel") == p"#]
        let means = single.map(\.mean).filter { $0 > 0 }
        let (low, high) = (means.min() ?? 1e-6, means.max() ?? 1)
        let rows = parts.map { "\(GnuplotScript.string($0)) \(Self.row($0, of: parts))" }.joined(separator: ", ")
        for (panel, map) in maps.enumerated() {
            let names = orderedSet(single.filter { [$0.model, $0.scheme] == map }.map(Self.name))
            let step = max(1, names.count / 24)
            let columns = names.enumerated().filter { $0.offset % step == 0 }
                .map { "\(GnuplotScript.string($0.element)) \($0.offset)" }.joined(separator: ", ")
            var elements = [
                script.element(
                    where: "of(\(panel))", #"column("column")"#, #""row""#, #"(column("column") - 0.5)"#,
                    #"(column("column") + 0.5)"#, #"(column("row") - 0.5)"#, #"(column("row") + 0.5)"#, #""kld""#,
                    style: "boxxyerror fillstyle solid 1 noborder linecolor palette")
            ]
            // Numbers fit into the cells of small models only, upright where they are narrow.
            if names.count <= 24 {
                elements.append(
                    script.element(
                        where: "of(\(panel))", #"column("column")"#, #""row""#, #"(sprintf("%.2g", column("kld")))"#,
                        style: "labels \(names.count > 8 ? "rotate by 90 " : "")textcolor rgb \"\(GnuplotScript.ink)\""))
            }
            script.panels.append(
                [
                    "set title \(GnuplotScript.string("\(map[0]), \(map[1])")) offset 0,-0.4",
                    #"set xlabel "\#(single[0].head == nil ? "Layer" : "Layer.head")" offset 0,0.3"#, "unset ylabel",
                    "unset grid", "unset colorbox",
                    "set logscale cb 10", String(format: "set cbrange [%.3g:%.3g]", low, high * 1.0001),
                    "set palette defined (0 \"#FFFFFF\", 1 \"\(GnuplotScript.orange)\", 2 \"\(GnuplotScript.vermilion)\")",
                    "set xtics \(names.count > 16 ? "rotate by 90 right " : "norotate autojustify ")(\(columns))", "set ytics (\(rows))",
                ] + ["plot [-0.5:\(names.count).0-0.5] [-0.5:\(parts.count).0-0.5] \\\n  " + elements.joined(separator: ", \\\n  ")])
        }
        return script
    }
}
