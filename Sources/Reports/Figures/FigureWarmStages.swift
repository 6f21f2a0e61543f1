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
        let caches = orderedSet(blocks.flatMap(\.states).filter { $0.kind == "warm exact" }).sorted(by: CacheState.inOrder)
        let columns = min(blocks.count, 3)
        // Rows of blocks; below each block its other page-cache states.
        var panels: [Panel?] = []
        for start in stride(from: 0, to: blocks.count, by: columns) {
            for cache in caches {
                for index in start..<(start + columns) {
                    panels.append(index < blocks.count ? Self.panel(blocks[index], cache, blocks) : nil)
                }
            }
        }
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
            String(format: "unit = %g  # %@ per second", unit.scale, unit.name),
            "at(panel, stage) = column(\"panel\") == panel && strcol(\"stage\") eq stage",
        ]
        for (index, panel) in panels.enumerated() {
            guard let panel else {
                script.panels.append([])
                continue
            }
            var elements: [String] = []
            let own = Set(panel.stacks.flatMap { $0.parts.map(\.label) })
            for look in looks where own.contains(look.label) {
                elements.append(
                    "'\(id).tsv' using (at(\(index), \"\(look.label)\") ? column(\"slot\") : NaN):(column(\"to_seconds\")*unit)"
                        + ":(column(\"slot\")-0.36):(column(\"slot\")+0.36):(column(\"from_seconds\")*unit):(column(\"to_seconds\")*unit) "
                        + "with boxxyerror fillstyle solid noborder fillcolor rgb \"\(look.colour)\" notitle")
            }
            elements.append(
                "'\(id).tsv' using (at(\(index), \"total\") ? column(\"slot\") : NaN):(column(\"to_seconds\")*unit)"
                    + ":(sprintf(\"%.3g\", column(\"to_seconds\")*unit)) with labels offset 0,0.55 textcolor rgb \"\(GnuplotScript.ink)\" notitle")
            if panel.stacks.contains(where: { $0.decodeStep != nil }) {
                elements.append(
                    "'\(id).tsv' using (at(\(index), \"total\") ? column(\"slot\")-0.44 : NaN):(column(\"decode_step_seconds\")*unit):(0.88):(0) "
                        + "with vectors nohead linecolor rgb \"\(GnuplotScript.ink)\" linewidth 1.6 notitle")
            }
            let tics = panel.stacks.enumerated().map { "\"\(NumberText.context($1.context))\" \($0)" }
            // The page-cache states of a block share their scale, so that they can be compared by eye.
            let highest = present.filter { $0.block == panel.block }.map(\.highest).max()!
            script.panels.append([
                "set title \(GnuplotScript.string(panel.title)) offset 0,-0.4",
                "set xtics (\(tics.joined(separator: ", "))) scale 0",
                "set xlabel \"Context (tokens)\" offset 0,0.3",
                grid.yLabel(index, "Warm time to first token (\(unit.name))"),
                GnuplotScript.plot(
                    String(format: "[-0.6:%.1f] [0:%.4g]", Double(panel.stacks.count) - 0.4, highest * unit.scale * 1.14),
                    elements),
            ])
        }
        return script
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
