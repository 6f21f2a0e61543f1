import Foundation

/// Warm TTFT of the identical prompt by stage: one figure per protocol, one panel per block and page-cache state, one
/// stack per context, and one decode step at the same depth, which is the limit.
struct FigureWarmStages: FigureDefinition {
    let id = "F-stages"
    let title = "Warm time to first token by stage"
    let needs = ["ttft"]

    func build(_ input: ReportInput) throws -> [Figure] {
        let blocks = try input.ttftBlocks().filter { block in block.states.contains { $0.kind == "warm exact" } }
        return orderedSet(blocks.map(\.key.protocolName)).map { protocolName in
            figure(protocolName, blocks.filter { $0.key.protocolName == protocolName }, input)
        }
    }

    /// The stages in the order of time, and the rest of the TTFT that no stage claims.
    private static let looks: [(stage: TTFTSample.Stage?, label: String, colour: String)] = [
        (.open, "open", GnuplotScript.purple), (.read, "read", GnuplotScript.blue),
        (.verify, "verify", GnuplotScript.sky), (.place, "place", GnuplotScript.green),
        (.forward, "first forward", GnuplotScript.orange), (.sample, "sample", GnuplotScript.vermilion),
        (nil, "rest", "#C4C4C4"),
    ]

    /// The stacks of one panel, in seconds.
    private struct Panel {
        struct Stack {
            var context: Int
            var parts: [(label: String, seconds: Double)]
            var decodeStep: Double?
            var count: Int
            var total: Double { parts.map(\.seconds).reduce(0, +) }
        }
        var title: String
        var block: String
        var stacks: [Stack]
        var highest: Double { stacks.flatMap { [$0.total, $0.decodeStep ?? 0] }.max() ?? 0 }
    }

    private func figure(_ protocolName: String, _ blocks: [TTFTBlock], _ input: ReportInput) -> Figure {
        let id = "\(id)-\(fileName(protocolName))"
        let title = "\(title), \(protocolName) protocol"
        let caches = orderedSet(blocks.flatMap(\.states).filter { $0.kind == "warm exact" }).sorted(
            by: CacheState.inOrder)
        let (panels, columns) = Self.panels(blocks, caches)
        let highest = panels.compactMap { $0?.highest }.max() ?? 0
        let unit = Quantity.seconds.units.last { highest * $0.scale >= 1 } ?? Quantity.seconds.units[0]
        var data = TabSeparated(columns: [
            "panel", "title", "slot", "context_tokens", "stage", "seconds", "from_seconds", "to_seconds",
            "decode_step_seconds", "n",
        ])
        for (index, panel) in panels.enumerated() {
            for (slot, stack) in (panel?.stacks ?? []).enumerated() {
                var base = 0.0
                for part in stack.parts {
                    data.append([
                        .count(index), .text(panel!.title), .count(slot), .count(stack.context), .text(part.label),
                        .number(part.seconds), .number(base), .number(base + part.seconds),
                        .number(stack.decodeStep ?? .nan), .count(stack.count),
                    ])
                    base += part.seconds
                }
                data.append([
                    .count(index), .text(panel!.title), .count(slot), .count(stack.context), .text("total"),
                    .number(base), .number(0), .number(base), .number(stack.decodeStep ?? .nan), .count(stack.count),
                ])
            }
        }
        return Figure(
            id: id, title: title,
            caption: """
                Median of each stage of warm TTFT, the identical prompt again after its cache was evicted to disk; \
                "rest" is what no stage claims. Dropped: the pages of the cache file were dropped before the request; \
                resident: they were in memory. \
                \(input.provenance(orderedSet(blocks.map(\.hardware)).joined(separator: " and ")))
                """,
            data: data.text, script: script(id, title, panels, columns, unit).text)
    }

    /// Rows of blocks, below each block its other page-cache states; those of a single block side by side.
    private static func panels(_ blocks: [TTFTBlock], _ caches: [CacheState]) -> (panels: [Panel?], columns: Int) {
        guard blocks.count > 1 else {
            let panels = caches.compactMap { panel(blocks[0], $0, blocks) }
            return (panels, min(panels.count, 3))
        }
        let columns = min(blocks.count, 3)
        var panels: [Panel?] = []
        for start in stride(from: 0, to: blocks.count, by: columns) {
            for cache in caches {
                for index in start..<(start + columns) {
                    panels.append(index < blocks.count ? panel(blocks[index], cache, blocks) : nil)
                }
            }
        }
        return (panels, columns)
    }

    private static func panel(_ block: TTFTBlock, _ cache: CacheState, _ blocks: [TTFTBlock]) -> Panel? {
        let stacks = block.contexts.compactMap { context -> Panel.Stack? in
            let samples = block[context, cache]
            guard !samples.isEmpty else { return nil }
            let parts = looks.compactMap { look -> (label: String, seconds: Double)? in
                let seconds = samples.map { $0.seconds(of: look.stage) }.filter { $0.isFinite && $0 > 0 }
                return seconds.isEmpty ? nil : (look.label, Estimate(seconds).value)
            }
            let steps = samples.map(\.decodeStepSeconds).filter(\.isFinite)
            return Panel.Stack(
                context: TTFTBlock.nominal(context), parts: parts,
                decodeStep: steps.isEmpty ? nil : Estimate(steps).value, count: samples.count)
        }
        guard !stacks.isEmpty else { return nil }
        let state = cache.pageCache == "none" ? "" : ", pages \(cache.pageCache)"
        return Panel(title: block.panelTitle(among: blocks) + state, block: block.id, stacks: stacks)
    }

    private func script(
        _ id: String, _ title: String, _ panels: [Panel?], _ columns: Int, _ unit: Quantity.Unit
    ) -> GnuplotScript {
        let present = panels.compactMap(\.self)
        let labels = Set(present.flatMap { $0.stacks.flatMap { $0.parts.map(\.label) } })
        let looks = Self.looks.filter { labels.contains($0.label) }
        var entries = looks.map { FigureLegend.Entry(label: $0.label, colour: $0.colour, sample: .box) }
        if present.contains(where: { $0.stacks.contains { $0.decodeStep != nil } }) {
            entries.append(.init(label: "one decode step", colour: GnuplotScript.ink, sample: .stroke))
        }
        let grid = PanelGrid(
            columns: columns, rows: (panels.count + columns - 1) / columns, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [
            "unit = \(ReportTable.number(unit.scale))  # \(unit.name) in a second",
            #"at(p, stage) = column("panel") == p && strcol("stage") eq stage"#,
        ]
        for (index, panel) in panels.enumerated() {
            guard let panel else {
                script.panels.append([])
                continue
            }
            let contexts = panel.stacks.map(\.context)
            // The page-cache states of a block share their scale, so that they can be compared by eye.
            let highest = present.filter { $0.block == panel.block }.map(\.highest).max()! * unit.scale
            script.panels.append(
                script.panel(
                    index, title: panel.title, yLabel: "Warm time to first token (\(unit.name))",
                    axes: [GnuplotScript.contextTics(contexts, at: Array(contexts.indices)) + " scale 0"],
                    ranges: String(format: "[-0.6:%.1f] [0:%.4g]", Double(contexts.count) - 0.4, highest * 1.14),
                    elements: Self.stacks(script, index, panel)))
        }
        return script
    }

    /// The stacks of one panel, the total above each, and a stroke for one decode step.
    private static func stacks(_ script: GnuplotScript, _ index: Int, _ panel: Panel) -> [String] {
        let slot = #"column("slot")"#
        let top = #"(column("to_seconds")*unit)"#
        let ink = #"rgb "\#(GnuplotScript.ink)""#
        let own = Set(panel.stacks.flatMap { $0.parts.map(\.label) })
        let parts = looks.filter { own.contains($0.label) }.map { look in
            script.element(
                where: "at(\(index), \"\(look.label)\")", slot, top, "(\(slot)-0.36)", "(\(slot)+0.36)",
                #"(column("from_seconds")*unit)"#, top,
                style: "boxxyerror fillstyle solid noborder fillcolor rgb \"\(look.colour)\"")
        }
        let total = script.element(
            where: "at(\(index), \"total\")", slot, top, #"(sprintf("%.3g", column("to_seconds")*unit))"#,
            style: "labels offset 0,0.55 textcolor \(ink)")
        let step = script.element(
            where: "at(\(index), \"total\")", slot + "-0.44", #"(column("decode_step_seconds")*unit)"#, "(0.88)", "(0)",
            style: "vectors nohead linecolor \(ink) linewidth 1.6")
        return parts + [total] + (panel.stacks.contains { $0.decodeStep != nil } ? [step] : [])
    }
}

extension TTFTSample {
    /// Seconds of a stage, or of what no stage claims; NaN where it did not happen.
    fileprivate func seconds(of stage: Stage?) -> Double {
        guard let stage else {
            // In the order of time, so that the sum has the same bits each time.
            let claimed = Stage.allCases.compactMap { stageSeconds[$0] }.filter(\.isFinite).reduce(0, +)
            return ttftSeconds - claimed
        }
        return stageSeconds[stage] ?? .nan
    }
}
