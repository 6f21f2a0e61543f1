import Foundation

/// Who restores how fast: time to first token against context, a panel for each way to come by the cache, a mark for each
/// contender and context.
struct FigurePeerRestore: FigureDefinition {
    let id = "F-restore"
    let title = "Who restores how fast"
    let needs = ["peer_restore"]

    private static let panels: [(state: PeerRestore.State, title: String)] = [
        (.cold, "cold: nothing cached"), (.hot, "cache in memory"), (.warm, "cache from disk"), (.restart, "after a restart"),
    ]
    private static let colours = [
        "kvlab": GnuplotScript.vermilion, "llama.cpp": GnuplotScript.blue, "mlx-lm": GnuplotScript.green,
        "transformers": GnuplotScript.purple,
    ]
    /// gnuplot's point types of a program's caches, in order.
    private static let points = [7, 5, 9, 13]

    private struct Series {
        let name: String
        let colour: String
        let point: Int
        /// Place among all series, −1…1: marks of one context stand side by side.
        var shift = 0.0
    }

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("peer_restore") else { return [] }
        let all = try PeerRestore.all(table)
        return orderedSet(all.map { "\($0.shape)-\($0.layers)" }).compactMap { key in
            figure(all.filter { "\($0.shape)-\($0.layers)" == key }, key, input)
        }
    }

    private func figure(_ contexts: [PeerRestore], _ key: String, _ input: ReportInput) -> Figure? {
        let id = "\(id)-\(fileName(key))"
        let series = Self.series(contexts)
        var data = TabSeparated(columns: ["panel", "contender", "context_tokens", "x", "seconds", "low_s", "high_s", "n"])
        var drawn: [[Estimate]] = Self.panels.map { _ in [] }
        // Marks of one context fill two fifths of the way to a context of twice the length.
        for (panel, (state, _)) in Self.panels.enumerated() {
            for line in series {
                for context in contexts {
                    guard let samples = context.contenders.first(where: { $0.name == line.name })?.seconds[state],
                        !samples.isEmpty
                    else { continue }
                    let estimate = Estimate(Array(samples.values))
                    drawn[panel].append(estimate)
                    data.append([
                        .count(panel), .text(line.name), .count(context.context),
                        .number(Double(context.context) * pow(2, 0.4 * line.shift)), .number(estimate.value),
                        .number(estimate.low), .number(estimate.high), .count(estimate.sampleCount),
                    ])
                }
            }
        }
        guard drawn.contains(where: { !$0.isEmpty }) else { return nil }
        let title = "\(title): \(contexts[0].shape), \(contexts[0].layers) layer\(contexts[0].layers == 1 ? "" : "s")"
        return Figure(
            id: id, title: title,
            caption: """
                Median time to first token with its non-parametric interval, both axes logarithmic; marks of one context stand \
                side by side. The request after the first is the context and \(contexts[0].extensionTokens) tokens more; files \
                were in the page cache; after a restart the time counts from when the model was loaded. \
                \(input.provenance("\(contexts[0].threads) threads, \(contexts[0].isa)"))
                """,
            data: data.text, script: script(id, title, contexts.map(\.context), series, drawn).text)
    }

    private static func series(_ contexts: [PeerRestore]) -> [Series] {
        var count: [String: Int] = [:]
        var all: [Series] = []
        for contender in contexts.flatMap(\.contenders) where !all.contains(where: { $0.name == contender.name }) {
            let index = count[contender.program, default: 0]
            count[contender.program] = index + 1
            all.append(
                Series(
                    name: contender.name, colour: colours[contender.program] ?? GnuplotScript.ink,
                    point: points[index % points.count]))
        }
        for index in all.indices where all.count > 1 { all[index].shift = 2 * Double(index) / Double(all.count - 1) - 1 }
        return all
    }

    private func script(
        _ id: String, _ title: String, _ contexts: [Int], _ series: [Series], _ drawn: [[Estimate]]
    ) -> GnuplotScript {
        let entries = series.map {
            FigureLegend.Entry(label: $0.name, colour: $0.colour, sample: .line(pointType: $0.point, dashed: false))
        }
        let grid = PanelGrid(columns: 2, rows: 2, legend: FigureLegend(entries: entries), panelSize: (3.3, 2.3))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p, name) = column("panel") == p && strcol("contender") eq name"#]
        // Cold has its own scale; the others are to be compared by eye.
        let others = drawn[1...].joined()
        for (panel, (_, name)) in Self.panels.enumerated() {
            let shown = panel == 0 ? drawn[0] : Array(others)
            guard let low = shown.map(\.low).min(), let high = shown.map(\.high).max() else {
                script.panels.append([])
                continue
            }
            let marks = series.map { line in
                script.element(
                    where: "of(\(panel), \(GnuplotScript.field(line.name)))", #"column("x")"#, #""seconds""#, #""low_s""#,
                    #""high_s""#,
                    style: "yerrorbars linecolor rgb \"\(line.colour)\" pointtype \(line.point) pointsize 0.55 linewidth 1.2")
            }
            script.panels.append(
                script.panel(
                    panel, title: name, yLabel: "Time to first token",
                    axes: [
                        "set logscale x 2", "set logscale y 10", GnuplotScript.contextTics(contexts, at: contexts),
                        Self.timeTics,
                    ],
                    ranges: String(
                        format: "[%.0f:%.0f] [%.3g:%.3g]", Double(contexts.first!) / 1.7, Double(contexts.last!) * 1.7,
                        low / 1.5, high * 1.5),
                    elements: marks))
        }
        return script
    }

    private static let timeTics = #"""
        set ytics ("1 ms" 1e-3, "" 2e-3 1, "" 5e-3 1, "10 ms" 1e-2, "" 2e-2 1, "" 5e-2 1, "100 ms" 0.1, "" 0.2 1, "" 0.5 1, \
          "1 s" 1, "" 2 1, "" 5 1, "10 s" 10, "" 20 1, "" 50 1, "100 s" 100, "1000 s" 1000)
        """#
}
