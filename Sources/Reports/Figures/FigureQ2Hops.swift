import Foundation

/// The error of a context against the handoffs that it went through, by controller: a panel for each model, task and budget.
struct FigureQ2Hops: FigureDefinition {
    let id = "F-Q2"
    let title = "Error by handoff and controller"
    let needs = ["hops"]

    private static let colours = [
        "uniform": GnuplotScript.ink, "random": GnuplotScript.grey, "recency": GnuplotScript.sky,
        "sink+recency": GnuplotScript.blue, "saliency": GnuplotScript.green, "topology": GnuplotScript.vermilion,
        "oracle": GnuplotScript.purple,
    ]
    private static let points = [
        "uniform": 7, "random": 1, "recency": 4, "sink+recency": 5, "saliency": 8, "topology": 9, "oracle": 12,
    ]

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("hops"), table.rowCount > 0 else { return [] }
        // Generated answers have no divergence, and one document no interval.
        let all = try HopSeries.all(table).filter { $0.isScored && $0.documents.count > 1 }
        let panels = orderedSet(all.map(\.setting)).flatMap { setting in
            all.filter { $0.setting == setting }.budgets.map { (setting: setting, budget: $0) }
        }
        guard !panels.isEmpty else { return [] }
        var data = TabSeparated(
            columns: ["panel", "model", "task", "budget_bits", "controller", "hops", "kld", "kld_low", "kld_high", "right"])
        var highest = 1
        for (panel, (setting, budget)) in panels.enumerated() {
            for one in all where one.setting == setting && one.budgetBits == budget && one.hops > 0 {
                let drawn = one.divergence
                highest = max(highest, one.hops)
                data.append([
                    .count(panel), .text(setting.model), .text(setting.task), .number(budget), .text(one.controller),
                    .count(one.hops), .number(one.meanDivergence), .number(drawn?.interval.lower ?? .nan),
                    .number(drawn?.interval.upper ?? .nan), .number(one.right.value),
                ])
            }
        }
        let controllers = orderedSet(all.map(\.controller)).filter { $0 != HopSeries.none }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Mean KL divergence from the cache that was not handed on, at the answers' tokens, with 95 % intervals by drawing \
                    whole documents; the vertical axis is logarithmic. All controllers of a panel have the same bytes to spend. \
                    \(input.provenance())
                    """,
                data: data.text, script: script(panels, controllers, highest).text)
        ]
    }

    private func script(
        _ panels: [(setting: HopSeries.Setting, budget: Double)], _ controllers: [String], _ highest: Int
    ) -> GnuplotScript {
        func colour(_ controller: String) -> String { Self.colours[controller] ?? GnuplotScript.orange }
        func point(_ controller: String) -> Int { Self.points[controller] ?? 6 }
        let legend = FigureLegend(
            entries: controllers.map {
                .init(label: $0, colour: colour($0), sample: .line(pointType: point($0), dashed: false))
            })
        let grid = PanelGrid(count: panels.count, legend: legend)
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p, name) = column("panel") == p && strcol("controller") eq name"#]
        for (panel, (setting, budget)) in panels.enumerated() {
            let elements = controllers.map { controller in
                script.element(
                    where: "of(\(panel), \(GnuplotScript.field(controller)))", #"column("hops")"#, #""kld""#, #""kld_low""#,
                    #""kld_high""#,
                    style: "yerrorlines linecolor rgb \"\(colour(controller))\" linewidth 1.2 pointtype \(point(controller)) "
                        + "pointsize 0.5")
            }
            let name = "\(setting.model), \(setting.task), \(NumberText.exact(budget)) bits"
            script.panels.append(
                [
                    "set title \(GnuplotScript.string(name)) offset 0,-0.4", #"set xlabel "Handoffs" offset 0,0.3"#,
                    grid.yLabel(panel, "KL divergence (nats)"), "set logscale y 10", #"set format y "%.0e""#,
                    "set xtics \(max(1, highest / 8))", "set ytics auto",
                ] + ["plot [0:\(highest + 1)] \\\n  " + elements.joined(separator: ", \\\n  ")])
        }
        return script
    }
}
