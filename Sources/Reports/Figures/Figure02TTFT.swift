import Foundation

/// P1, Figure 2: TTFT against context, cold, warm and hot. One figure per protocol, one panel per block: ours solid
/// with intervals, the paper's dashed and pale.
struct Figure02TTFT: FigureDefinition {
    let id = "F2"
    let title = "Figure 2. Time to first token against context"
    let needs = ["ttft"]

    func build(_ input: ReportInput) throws -> [Figure] {
        let published = try PublishedTTFT(input.published)
        let blocks = try input.ttftBlocks().filter { !$0.contexts.isEmpty }
        return orderedSet(blocks.map(\.key.protocolName)).map { protocolName in
            figure(protocolName, blocks.filter { $0.key.protocolName == protocolName }, published, input)
        }
    }

    /// A line of the figure: which samples, and how they look.
    private struct Series {
        var label: String
        var colour: String
        /// gnuplot's point type; one with a filled shape.
        var point: Int
        var state: CacheState
    }

    /// What is drawn of the states of a run: those that the paper has, and hot exact, which compares like with like.
    private static let looks: [(kind: String, pageCache: String, label: String, colour: String, point: Int)] = [
        ("cold", "", "cold", GnuplotScript.blue, 7),
        ("warm exact", "dropped", "warm, from disk", GnuplotScript.vermilion, 5),
        ("warm exact", "resident", "warm, in page cache", GnuplotScript.orange, 9),
        ("warm exact", "none", "warm", GnuplotScript.vermilion, 5),
        ("hot exact", "", "hot, same prompt", GnuplotScript.purple, 11),
        ("hot extend", "", "hot, next turn", GnuplotScript.green, 13),
    ]

    private func figure(
        _ protocolName: String, _ blocks: [TTFTBlock], _ published: PublishedTTFT, _ input: ReportInput
    ) -> Figure {
        let id = "\(id)-\(fileName(protocolName))"
        let title = "\(title), \(protocolName) protocol"
        let series = Self.series(of: blocks)
        var drawn = Drawn()
        for (panel, block) in blocks.enumerated() {
            let comparison = TTFTComparison(block, published)
            for (index, line) in series.enumerated() {
                for context in block.contexts where !block[context, line.state].isEmpty {
                    let estimate = Estimate(block[context, line.state].map(\.ttftSeconds))
                    drawn.add(panel, block.id, "here", line.state.label, TTFTBlock.nominal(context), estimate)
                }
                // Of several lines for one published state only the first draws the paper's.
                let earlier = series[..<index].contains { $0.state.published == line.state.published }
                guard let state = line.state.published, !earlier else { continue }
                for context in comparison.publishedContexts {
                    guard let seconds = try? comparison.ttft(line.state, context).get() else { continue }
                    drawn.add(panel, block.id, "paper", state, context, Estimate.exact(seconds))
                }
            }
        }
        return Figure(
            id: id, title: title,
            caption: """
                Median TTFT with its non-parametric interval, both axes logarithmic\
                \(drawn.hasPaper ? "; dashed and pale: P1, Figure 2, on an Apple M4 Pro" : "").\
                \(Self.contextNote(blocks)) \
                \(input.provenance(orderedSet(blocks.map(\.hardware)).joined(separator: " and ")))
                """,
            data: drawn.data.text, script: script(id, title, blocks, series, drawn).text)
    }

    private static func series(of blocks: [TTFTBlock]) -> [Series] {
        let states = orderedSet(blocks.flatMap(\.states))
        return looks.flatMap { look in
            states.filter { $0.kind == look.kind && (look.pageCache.isEmpty || $0.pageCache == look.pageCache) }
                .prefix(1).map { Series(label: look.label, colour: look.colour, point: look.point, state: $0) }
        }
    }

    private static func contextNote(_ blocks: [TTFTBlock]) -> String {
        blocks.contains { block in block.contexts.contains { TTFTBlock.nominal($0) != $0 } }
            ? " Contexts are nominal: P1 cuts them by characters." : ""
    }

    /// What is drawn, and how far it reaches.
    private struct Drawn {
        struct Line: Hashable {
            var panel: Int
            var source: String
            var state: String
        }
        var data = TabSeparated(columns: [
            "panel", "run", "source", "state", "context_tokens", "ttft_s", "ttft_low_s", "ttft_high_s", "n",
        ])
        var lines: Set<Line> = []
        var contexts: Set<Int> = []
        var low = Double.infinity
        var high = -Double.infinity

        var hasPaper: Bool { lines.contains { $0.source == "paper" } }

        mutating func add(
            _ panel: Int, _ run: String, _ source: String, _ state: String, _ context: Int, _ estimate: Estimate
        ) {
            lines.insert(Line(panel: panel, source: source, state: state))
            contexts.insert(context)
            low = min(low, estimate.low)
            high = max(high, estimate.high)
            let isOurs = source == "here"
            data.append([
                .count(panel), .text(run), .text(source), .text(state), .count(context), .number(estimate.value),
                .number(isOurs ? estimate.low : .nan), .number(isOurs ? estimate.high : .nan),
                .number(isOurs ? Double(estimate.sampleCount) : .nan),
            ])
        }
    }

    private func script(
        _ id: String, _ title: String, _ blocks: [TTFTBlock], _ series: [Series], _ drawn: Drawn
    ) -> GnuplotScript {
        let grid = PanelGrid(count: blocks.count, legend: Self.legend(series, drawn.hasPaper))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = Self.styles(series)
        script.definitions.append(
            #"at(p, source, state) = column("panel") == p && strcol("source") eq source && strcol("state") eq state"#)
        let contexts = drawn.contexts.sorted()
        let axes = [
            "set logscale x 2", "set logscale y 10", GnuplotScript.contextTics(contexts, at: contexts), Self.timeTics,
        ]
        let xRange = String(format: "[%.0f:%.0f]", Double(contexts.first!) / 1.3, Double(contexts.last!) * 1.3)
        let yRange = String(format: "[%.3g:%.3g]", drawn.low / 1.6, drawn.high * 1.6)
        for (panel, block) in blocks.enumerated() {
            // The paper's lines first, so that ours lie on top of them.
            let papers = series.enumerated().compactMap { index, line -> String? in
                guard let state = line.state.published,
                    !series[..<index].contains(where: { $0.state.published == state }),
                    drawn.lines.contains(.init(panel: panel, source: "paper", state: state))
                else { return nil }
                return script.element(
                    where: "at(\(panel), \"paper\", \(GnuplotScript.field(state)))", #"column("context_tokens")"#,
                    #""ttft_s""#, style: "linespoints linestyle \(index + 11)")
            }
            let ours = series.enumerated().compactMap { index, line -> String? in
                let state = line.state.label
                guard drawn.lines.contains(.init(panel: panel, source: "here", state: state)) else { return nil }
                return script.element(
                    where: "at(\(panel), \"here\", \(GnuplotScript.field(state)))", #"column("context_tokens")"#,
                    #""ttft_s""#, #""ttft_low_s""#, #""ttft_high_s""#, style: "yerrorlines linestyle \(index + 1)")
            }
            script.panels.append(
                script.panel(
                    panel, title: block.panelTitle(among: blocks), yLabel: "Time to first token", axes: axes,
                    ranges: "\(xRange) \(yRange)", elements: papers + ours))
        }
        return script
    }

    private static let timeTics = #"""
        set ytics ("10 µs" 1e-5, "100 µs" 1e-4, "1 ms" 1e-3, "10 ms" 1e-2, "100 ms" 0.1, "1 s" 1, "10 s" 10, \
          "100 s" 100, "1000 s" 1000)
        """#

    /// Line styles from 1 for ours and from 11 for the paper's.
    private static func styles(_ series: [Series]) -> [String] {
        series.enumerated().flatMap { index, line in
            [
                """
                set style line \(index + 1) linecolor rgb "\(line.colour)" linewidth 1.4 \
                pointtype \(line.point) pointsize 0.55
                """,
                """
                set style line \(index + 11) linecolor rgb "\(GnuplotScript.pale(line.colour))" linewidth 1.1 \
                dashtype (6,4) pointtype \(line.point - 1) pointsize 0.45
                """,
            ]
        }
    }

    private static func legend(_ series: [Series], _ hasPaper: Bool) -> FigureLegend {
        let ours = series.map { line in
            FigureLegend.Entry(
                label: line.label, colour: line.colour, sample: .line(pointType: line.point, dashed: false))
        }
        let paper = FigureLegend.Entry(
            label: "the paper's, on an M4 Pro", colour: GnuplotScript.grey, sample: .line(pointType: 0, dashed: true))
        return FigureLegend(entries: ours + (hasPaper ? [paper] : []))
    }
}
