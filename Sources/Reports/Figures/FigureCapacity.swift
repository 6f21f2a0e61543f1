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
                    Agents of one context that fit the budget; full colour: allocated in the block pool, pale: \
                    computed only; stroke: P1, Tables 2 and 14, for full-size shapes at the paper's budgets. \
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
        /// Schemes of which the paper has agents here.
        var schemesOfPaper: Set<String> = []
        var highest = 1

        var title: String {
            "\(PublishedModel.fullSize(shape: place.shape)?.title ?? place.shape), \(place.budget)"
        }

        init(place: Place, contexts: [Int]) {
            self.place = place
            self.contexts = contexts
        }

        mutating func add(_ row: CapacityRow, _ paper: Int?) {
            bars.insert(Bar(scheme: row.scheme, isMeasured: row.agentsMeasured != nil))
            if paper != nil { schemesOfPaper.insert(row.scheme) }
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
        if panels.contains(where: { !$0.schemesOfPaper.isEmpty }) {
            entries.append(.init(label: "the paper's", colour: GnuplotScript.ink, sample: .stroke))
        }
        let grid = PanelGrid(count: panels.count, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        let width = 0.8 / Double(schemes.count)
        script.definitions = [
            #"of(p, scheme) = column("panel") == p && strcol("scheme") eq scheme"#,
            #"at(p, scheme, measured) = of(p, scheme) && column("measured") == measured"#,
            String(format: "width = %.3f", width),
        ]
        for (index, panel) in panels.enumerated() {
            let elements = schemes.enumerated().flatMap { order, scheme in
                let shift = (Double(order) - Double(schemes.count - 1) / 2) * width
                return Self.bars(script, index, panel, scheme, String(format: "%+.3f", shift), colour(order))
            }
            let places = Array(panel.contexts.indices)
            script.panels.append(
                script.panel(
                    index, title: panel.title, yLabel: "Agents",
                    axes: [GnuplotScript.contextTics(panel.contexts, at: places) + " scale 0"],
                    ranges: String(
                        format: "[-0.6:%.1f] [0:%.1f]", Double(places.count) - 0.4, Double(panel.highest) * 1.15),
                    elements: elements))
        }
        return script
    }

    /// The bars of one scheme, the number above each, and the paper's strokes.
    private static func bars(
        _ script: GnuplotScript, _ index: Int, _ panel: Panel, _ scheme: String, _ shift: String, _ colour: String
    ) -> [String] {
        let name = GnuplotScript.field(scheme)
        let place = #"column("slot")"# + shift
        let ink = #"rgb "\#(GnuplotScript.ink)""#
        let kinds = [true, false].filter { panel.bars.contains(.init(scheme: scheme, isMeasured: $0)) }
        guard !kinds.isEmpty else { return [] }
        let boxes = kinds.map { isMeasured in
            let fill = isMeasured ? colour : GnuplotScript.pale(colour)
            return script.element(
                where: "at(\(index), \(name), \(isMeasured ? 1 : 0))", place, #""agents""#, "(width*0.92)",
                style: "boxes fillstyle solid noborder fillcolor rgb \"\(fill)\"")
        }
        let number = script.element(
            where: "of(\(index), \(name))", place, #""label_at""#, #"(sprintf("%d", column("agents")))"#,
            style: "labels offset 0,0.65 textcolor \(ink)")
        let stroke = script.element(
            where: "of(\(index), \(name))", place + "-width*0.46", #""agents_paper""#, "(width*0.92)", "(0)",
            style: "vectors nohead linecolor \(ink) linewidth 2")
        return boxes + [number] + (panel.schemesOfPaper.contains(scheme) ? [stroke] : [])
    }
}
