import Foundation

/// Time to first token of handoffs by stage: one figure per shape and number of own tokens, one panel per context, one
/// stack per way.
struct FigureQ1Stages: FigureDefinition {
    let id = "Q1-stages"
    let title = "Time to first token of a handoff by stage"
    let needs = ["handoff"]

    private static let looks: [(stage: HandoffSample.Stage, label: String, colour: String)] = [
        (.make, "make card", GnuplotScript.purple), (.write, "write", GnuplotScript.yellow),
        (.transfer, "transfer", GnuplotScript.blue), (.read, "read", GnuplotScript.sky),
        (.verify, "verify", GnuplotScript.grey), (.inject, "inject", GnuplotScript.green),
        (.forward, "first forward", GnuplotScript.orange),
    ]

    func build(_ input: ReportInput) throws -> [Figure] {
        try input.handoffBlocks().flatMap { block in
            block.ownTokens.map { figure(block, own: $0, input) }
        }
    }

    private func figure(_ block: HandoffBlock, own: Int, _ input: ReportInput) -> Figure {
        let id = "\(id)-\(fileName(block.shape))-\(own)"
        // A prefill takes many times as long as any card; it is a line of text above the stacks, not a stack.
        let ways = block.ways.filter { $0.way != "prefill" }
        var data = TabSeparated(columns: ["panel", "context_tokens", "slot", "way", "stage", "seconds", "from_seconds", "to_seconds", "n"])
        var highest: [Double] = []
        var titles: [String] = []
        for (panel, context) in block.contexts.enumerated() {
            var top = 0.0
            for (slot, way) in ways.enumerated() {
                let samples = block.samples(way, context: context, own: own)
                var base = 0.0
                for look in Self.looks {
                    let seconds = samples.compactMap { $0.stageSeconds[look.stage] }.filter { $0.isFinite && $0 > 0 }
                    guard !seconds.isEmpty else { continue }
                    let median = Estimate(seconds).value
                    data.append([
                        .count(panel), .count(context), .count(slot), .text(way.label), .text(look.label), .number(median),
                        .number(base), .number(base + median), .count(samples.count),
                    ])
                    base += median
                }
                guard !samples.isEmpty else { continue }
                data.append([
                    .count(panel), .count(context), .count(slot), .text(way.label), .text("total"), .number(base), .number(0),
                    .number(base), .count(samples.count),
                ])
                top = max(top, base)
            }
            highest.append(top)
            let prefill = block.samples.filter { $0.isPrefill && $0.contextTokens == context && $0.ownTokens == own }.map(\.ttftSeconds)
            let again = prefill.isEmpty ? "" : ", prefill \(NumberText.short(Estimate(prefill).value)) s"
            titles.append(NumberText.context(TTFTBlock.nominal(context)) + again)
        }
        let unit = Quantity.seconds.units.last { (highest.max() ?? 0) * $0.scale >= 1 } ?? Quantity.seconds.units[0]
        let grid = PanelGrid(
            columns: min(2, block.contexts.count), rows: (block.contexts.count + 1) / 2,
            legend: FigureLegend(entries: Self.looks.map { .init(label: $0.label, colour: $0.colour, sample: .box) }),
            panelSize: (3.6, 2.0))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [
            "unit = \(ReportTable.number(unit.scale))  # \(unit.name) in a second",
            #"at(p, stage) = column("panel") == p && strcol("stage") eq stage"#,
        ]
        for (panel, title) in titles.enumerated() {
            let tics = ways.enumerated().map { "\"\(Self.short($1))\" \($0)" }.joined(separator: ", ")
            var commands = script.panel(
                panel, title: title, yLabel: "Time to first token (\(unit.name))",
                axes: ["set xtics (\(tics)) scale 0 font \",8\""],
                ranges: String(format: "[-0.6:%.1f] [0:%.4g]", Double(ways.count) - 0.4, max(highest[panel], 1e-9) * unit.scale * 1.14),
                elements: Self.stacks(script, panel))
            commands[1] = "unset xlabel"
            script.panels.append(commands)
        }
        return Figure(
            id: id, title: "\(title): \(block.shape), \(own) own tokens",
            caption: """
                \(block.description) Median of each stage; above each panel the TTFT of computing the context again. The \
                receiver had \(own) tokens of its own\(own > 0 ? ", so that keys were turned to other positions" : ""). q4 is \
                \(PublishedModel.scheme). \(input.provenance(block.hardware))
                """,
            data: data.text, script: script.text)
    }

    /// How the card went, and in the next line its scheme.
    private static func short(_ way: HandoffBlock.Way) -> String {
        let medium = ["unix": "Unix", "tcp": "TCP"][way.way] ?? way.way
        return "\(medium)\\n\(way.scheme == PublishedModel.scheme ? "q4" : way.scheme)"
    }

    private static func stacks(_ script: GnuplotScript, _ panel: Int) -> [String] {
        let slot = #"column("slot")"#
        let top = #"(column("to_seconds")*unit)"#
        let parts = looks.map { look in
            script.element(
                where: "at(\(panel), \"\(look.label)\")", slot, top, "(\(slot)-0.36)", "(\(slot)+0.36)",
                #"(column("from_seconds")*unit)"#, top,
                style: "boxxyerror fillstyle solid noborder fillcolor rgb \"\(look.colour)\"")
        }
        return parts + [
            script.element(
                where: "at(\(panel), \"total\")", slot, top, #"(sprintf("%.3g", column("to_seconds")*unit))"#,
                style: "labels offset 0,0.55 textcolor rgb \"\(GnuplotScript.ink)\"")
        ]
    }
}
