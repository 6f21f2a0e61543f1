import Foundation

/// Agents that fit a budget, FP16 against quantized, by context: one panel per shape and budget, caches kept as in P1.
struct FigureCapacity: FigureDefinition {
    let id = "F-capacity"
    let title = "Agents per budget, FP16 against Q4"
    let needs = ["capacity"]

    /// One panel: a shape and a budget.
    private struct Place: Hashable {
        var shape: String
        var budget: String
    }

    func build(_ input: ReportInput) throws -> [Figure] {
        let rows = try input.capacityRows().filter(\.isAsPublished)
        guard !rows.isEmpty else { return [] }
        let published = try PublishedAgents(input.published)
        let budgets = orderedSet(rows.map(\.budgetLabel))
        let places = budgets.flatMap { budget in
            orderedSet(rows.filter { $0.budgetLabel == budget }.map(\.shape)).map { Place(shape: $0, budget: budget) }
        }
        let schemes = ["fp16"] + orderedSet(rows.map(\.scheme).filter { $0 != "fp16" })
        var data = TabSeparated(columns: [
            "panel", "shape", "budget", "slot", "context_tokens", "scheme", "agents", "measured", "agents_paper",
            "label_at",
        ])
        var panels: [Panel] = []
        for (index, place) in places.enumerated() {
            let own = rows.filter { $0.shape == place.shape && $0.budgetLabel == place.budget }
            var panel = Panel(place: place, contexts: Set(own.map(\.contextTokens)).sorted())
            for row in own {
                let paper = published.agents(row)
                panel.add(row, paper)
                let agents = row.agentsMeasured ?? row.agentsComputed
                data.append([
                    .count(index), .text(row.shape), .text(row.budgetLabel),
                    .count(panel.contexts.firstIndex(of: row.contextTokens)!), .count(row.contextTokens),
                    .text(row.scheme), .count(agents), .count(row.agentsMeasured == nil ? 0 : 1),
                    .number(paper.map(Double.init) ?? .nan), .count(max(agents, paper ?? 0)),
                ])
            }
            panels.append(panel)
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Agents of one context that fit the budget; full colour: allocated in the block pool, pale: computed \
                    only; stroke: P1, Tables 2 and 14, for full-size shapes at the paper's budgets. \
                    Windowed layers keep every token and MLA is expanded, as in P1. \(input.provenance())
                    """,
                data: data.text, script: script(panels, schemes).text)
        ]
    }

    /// What a panel holds.
    private struct Panel {
        struct Bar: Hashable {
            var scheme: String
            var isMeasured: Bool
        }
        var place: Place
        var contexts: [Int]
        var bars: Set<Bar> = []
        var hasPaper = false
        var highest = 1

        init(place: Place, contexts: [Int]) {
            self.place = place
            self.contexts = contexts
        }

        mutating func add(_ row: CapacityRow, _ paper: Int?) {
            bars.insert(Bar(scheme: row.scheme, isMeasured: row.agentsMeasured != nil))
            hasPaper = hasPaper || paper != nil
            highest = max(highest, row.agentsMeasured ?? row.agentsComputed, paper ?? 0)
        }
    }

    /// Grey is FP16, the rest are quantized.
    private static let colours = [
        GnuplotScript.grey, GnuplotScript.blue, GnuplotScript.vermilion, GnuplotScript.green, GnuplotScript.purple,
        GnuplotScript.orange,
    ]

    private func script(_ panels: [Panel], _ schemes: [String]) -> GnuplotScript {
        let colour = { (index: Int) in Self.colours[min(index, Self.colours.count - 1)] }
        var entries = schemes.enumerated().map {
            FigureLegend.Entry(label: $1 == "fp16" ? "FP16" : $1, colour: colour($0), sample: .box)
        }
        let bars = panels.flatMap(\.bars)
        if bars.contains(where: { !$0.isMeasured }) {
            let example = GnuplotScript.pale(colour(min(1, schemes.count - 1)))
            entries.append(.init(label: "pale: computed, not allocated", colour: example, sample: .box))
        }
        if panels.contains(where: \.hasPaper) {
            entries.append(.init(label: "the paper's", colour: GnuplotScript.ink, sample: .stroke))
        }
        let grid = PanelGrid(count: panels.count, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        let width = 0.8 / Double(schemes.count)
        script.definitions = [
            "at(panel, scheme, measured) = column(\"panel\") == panel && strcol(\"scheme\") eq scheme && column(\"measured\") == measured",
            "of(panel, scheme) = column(\"panel\") == panel && strcol(\"scheme\") eq scheme",
            String(format: "width = %.3f", width),
        ]
        for (index, panel) in panels.enumerated() {
            var elements: [String] = []
            for (order, scheme) in schemes.enumerated() {
                let shift = String(format: "%+.3f", (Double(order) - Double(schemes.count - 1) / 2) * width)
                for isMeasured in [true, false] where panel.bars.contains(.init(scheme: scheme, isMeasured: isMeasured)) {
                    let fill = isMeasured ? colour(order) : GnuplotScript.pale(colour(order))
                    elements.append(
                        "'\(id).tsv' using (at(\(index), \"\(scheme)\", \(isMeasured ? 1 : 0)) ? column(\"slot\")\(shift) : NaN):\"agents\":(width*0.92) "
                            + "with boxes fillstyle solid noborder fillcolor rgb \"\(fill)\" notitle")
                }
                guard panel.bars.contains(where: { $0.scheme == scheme }) else { continue }
                elements.append(
                    "'\(id).tsv' using (of(\(index), \"\(scheme)\") ? column(\"slot\")\(shift) : NaN):\"label_at\":(sprintf(\"%d\", column(\"agents\"))) "
                        + "with labels offset 0,0.65 textcolor rgb \"\(GnuplotScript.ink)\" notitle")
                if panel.hasPaper {
                    elements.append(
                        "'\(id).tsv' using (of(\(index), \"\(scheme)\") ? column(\"slot\")\(shift)-width*0.46 : NaN):\"agents_paper\":(width*0.92):(0) "
                            + "with vectors nohead linecolor rgb \"\(GnuplotScript.ink)\" linewidth 2 notitle")
                }
            }
            let name = PublishedModel.fullSize(shape: panel.place.shape)?.title ?? panel.place.shape
            let tics = panel.contexts.enumerated().map { "\"\(NumberText.context($1))\" \($0)" }
            script.panels.append([
                "set title \(GnuplotScript.string("\(name), \(panel.place.budget)")) offset 0,-0.4",
                "set xtics (\(tics.joined(separator: ", "))) scale 0",
                "set xlabel \"Context (tokens)\" offset 0,0.3",
                grid.yLabel(index, "Agents"),
                GnuplotScript.plot(
                    String(format: "[-0.6:%.1f] [0:%.1f]", Double(panel.contexts.count) - 0.4, Double(panel.highest) * 1.15),
                    elements),
            ])
        }
        return script
    }
}
