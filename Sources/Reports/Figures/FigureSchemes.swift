import Foundation
import Results

/// What cache schemes cost and what they do to predictions: bits against KL divergence, one panel for each model, with the
/// schemes that no other one beats in both.
struct FigureSchemes: FigureDefinition {
    let id = "F-schemes"
    let title = "Cache schemes: bits against KL divergence"
    let needs = ["schemes", "schemes_windows", "schemes_tokens"]

    private struct Point {
        var scheme: String
        var bits: Double
        var kld: Double
        var low: Double
        var high: Double
        /// Decode tokens per second; nil where speed was not measured.
        var speed: Double?
        var isOnFront = false
    }

    private struct Panel {
        var model: String
        /// In the order of their bits.
        var points: [Point]
        var floor: Double?

        var bits: ClosedRange<Double> {
            let (least, most) = (points.map(\.bits).min()!, points.map(\.bits).max()!)
            return min(FigureSchemes.tics.last { $0 <= least } ?? least, least * 0.97) * 0.97...most * 1.18
        }
        var divergences: ClosedRange<Double> {
            let all = points.flatMap { [$0.low > 0 ? $0.low : $0.kld, $0.high] }
            let low = [all.min()!] + (floor.map { [$0] } ?? []).filter { isNear($0) }
            return low.min()! / 1.8...all.max()! * 1.8
        }
        /// Is the noise floor near enough to be drawn?
        func isNear(_ floor: Double) -> Bool { floor > points.map(\.kld).min()! / 8 }
    }

    func build(_ input: ReportInput) throws -> [Figure] {
        let series = try SchemeSeries.all(input.results)
        let panels = orderedSet(series.map(\.model)).compactMap { panel(series, $0) }
        guard !panels.isEmpty else { return [] }
        var data = TabSeparated(columns: ["panel", "kind", "scheme", "bits", "kld", "low", "high", "tokens_per_second", "size"])
        let fastest = panels.flatMap(\.points).compactMap(\.speed).max() ?? 1
        for (index, panel) in panels.enumerated() {
            for (kind, points) in [("point", panel.points), ("front", panel.points.filter(\.isOnFront))] {
                for point in points {
                    data.append([
                        .count(index), .text(kind), .text(point.scheme), .number(point.bits), .number(point.kld),
                        .number(point.low), .number(point.high), .number(point.speed ?? .nan),
                        .number(0.35 + 0.75 * ((point.speed ?? fastest) / fastest)),
                    ])
                }
            }
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Bits that an element of keys and values takes in memory, rows that wait in 16-bit floats among them, against the mean KL divergence in nats from the \
                    model with an unquantized cache, with its 95 % interval. Line: schemes that no other beats in both. \
                    Larger points decode faster: \(speeds(panels)). Dashed: the unquantized cache on the other compute path, \
                    the noise floor. \(input.provenance())
                    """,
                data: data.text, script: script(panels).text)
        ]
    }

    private func speeds(_ panels: [Panel]) -> String {
        let all = panels.flatMap(\.points).compactMap(\.speed)
        guard let slowest = all.min(), let fastest = all.max() else { return "speed was not measured" }
        return "\(NumberText.short(slowest)) to \(NumberText.short(fastest)) tokens/s"
    }

    private func panel(_ series: [SchemeSeries], _ model: String) -> Panel? {
        let own = series.filter { $0.model == model }
        var points = own.compactMap { series -> Point? in
            guard !series.isBase, let bits = series.bits, let mean = series.mean, mean.estimate > 0 else { return nil }
            return Point(
                scheme: series.scheme, bits: bits, kld: mean.estimate, low: mean.interval.lower, high: mean.interval.upper,
                speed: series.tokenRates.isEmpty ? nil : Statistics.median(series.tokenRates))
        }.sorted { ($0.bits, $0.kld) < ($1.bits, $1.kld) }
        guard !points.isEmpty else { return nil }
        var least = Double.infinity
        for index in points.indices where points[index].kld < least {
            points[index].isOnFront = true
            least = points[index].kld
        }
        let floor = own.first(where: \.isBase)?.mean?.estimate
        return Panel(model: model, points: points, floor: floor.flatMap { $0 > 0 ? $0 : nil })
    }

    // MARK: Script

    private static let families: [(name: String, colour: String, holds: @Sendable (String) -> Bool)] = [
        ("K and V differ", GnuplotScript.sky, { $0.contains("=") || $0.contains(":") }),
        ("Hadamard", GnuplotScript.vermilion, { $0.hasPrefix("hadamard") }),
        ("affine (MLX)", GnuplotScript.blue, { $0.hasPrefix("affine") }),
        ("GGML", GnuplotScript.green, { $0.hasPrefix("q") || $0.hasPrefix("iq") }),
        ("FP8, MXFP4, NVFP4", GnuplotScript.orange, { $0.hasPrefix("fp8") || $0.contains("fp4") }),
        ("TurboQuant", GnuplotScript.purple, { $0.hasPrefix("turboquant") }),
        ("others", GnuplotScript.ink, { _ in true }),
    ]
    private static func family(_ scheme: String) -> Int { families.firstIndex { $0.holds(scheme) }! }
    private static let panelSize = (width: 6.6, height: 3.9)
    private static let tics = [1, 1.5, 2, 3, 4, 5, 6, 8, 12, 16, 32]

    private func script(_ panels: [Panel]) -> GnuplotScript {
        let used = Set(panels.flatMap(\.points).map { Self.family($0.scheme) }).sorted()
        let entries = used.map {
            FigureLegend.Entry(
                label: Self.families[$0].name, colour: Self.families[$0].colour, sample: .line(pointType: 7, dashed: false))
        }
        let grid = PanelGrid(
            columns: 1, rows: panels.count, legend: FigureLegend(entries: entries), panelSize: Self.panelSize)
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p, kind) = column("panel") == p && strcol("kind") eq kind"#]
        script.panels = panels.enumerated().map { index, panel in commands(index, panel, grid, script) }
        return script
    }

    private func commands(_ index: Int, _ panel: Panel, _ grid: PanelGrid, _ script: GnuplotScript) -> [String] {
        let (x, y) = (panel.bits, panel.divergences)
        let front = script.element(
            where: "of(\(index), \"front\")", #"column("bits")"#, #""kld""#,
            style: "lines linecolor rgb \"\(GnuplotScript.pale(GnuplotScript.grey))\" linewidth 2")
        let floor = panel.floor.flatMap { panel.isNear($0) ? $0 : nil }.map {
            "\($0) with lines linecolor rgb \"\(GnuplotScript.grey)\" linewidth 1 dashtype 2 notitle"
        }
        let points = Set(panel.points.map { Self.family($0.scheme) }).sorted().flatMap { family -> [String] in
            let colour = #"linecolor rgb "\#(Self.families[family].colour)""#
            return panel.points.filter { Self.family($0.scheme) == family }.flatMap { point -> [String] in
                let here = "of(\(index), \"point\") && strcol(\"scheme\") eq \(GnuplotScript.field(point.scheme))"
                return [
                    script.element(
                        where: here, #"column("bits")"#, #""kld""#, #""low""#, #""high""#,
                        style: "yerrorbars \(colour) pointtype 7 pointsize 0 linewidth 1"),
                    script.element(
                        where: here, #"column("bits")"#, #""kld""#, #""size""#,
                        style: "points \(colour) pointtype 7 pointsize variable"),
                ]
            }
        }
        let tics = Self.tics.map { "\"\(NumberText.exact($0))\" \($0)" }.joined(separator: ", ")
        return [
            "set title \(GnuplotScript.string(panel.model)) offset 0,-0.4",
            #"set xlabel "Bits per element of keys and values, scales and waiting rows included" offset 0,0.3"#,
            grid.yLabel(index, "KL divergence (nats per token)"), "set logscale xy", "set xtics (\(tics))",
            "set ytics auto", #"set format y "%.0e""#,
        ] + labels(panel) + floorLabel(panel) + [
            "plot [\(x.lowerBound):\(x.upperBound)] [\(y.lowerBound):\(y.upperBound)] \\\n  "
                + ([front] + (floor.map { [$0] } ?? []) + points).joined(separator: ", \\\n  ")
        ]
    }

    private func labels(_ panel: Panel) -> [String] {
        let (x, y) = (panel.bits, panel.divergences)
        func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
        }
        // Those of the front first, for the best places.
        let points = panel.points.filter(\.isOnFront) + panel.points.filter { !$0.isOnFront }
        let (width, height) = Self.panelSize
        let centres = points.map { (text: $0.scheme, x: share($0.bits, x) * width, y: share($0.kld, y) * height) }
        let front = zip(points, centres).filter(\.0.isOnFront).map { (x: $1.x, y: $1.y) }
        let places = LabelPlacement.place(centres, around: front, width: width, height: height)
        return zip(zip(points, centres), places).flatMap { pair, placed in
            let (point, centre) = pair
            let colour = Self.families[Self.family(point.scheme)].colour
            func place(_ x: Double, _ y: Double) -> String { String(format: "graph %.4f,%.4f", x / width, y / height) }
            let label =
                "set label \(GnuplotScript.string(point.scheme)) at \(place(placed.x, placed.y)) \(placed.alignment.rawValue) "
                + "textcolor rgb \"\(GnuplotScript.ink)\""
            guard placed.isFar else { return [label] }
            let arrow =
                "set arrow from \(place(centre.x, centre.y)) to \(place(placed.x, placed.y)) nohead back "
                + "linecolor rgb \"\(GnuplotScript.pale(colour))\" linewidth 0.7"
            return [arrow, label]
        }
    }

    private func floorLabel(_ panel: Panel) -> [String] {
        guard let floor = panel.floor else { return [] }
        let (text, height) =
            panel.isNear(floor)
            ? ("noise floor", "first \(floor)") : ("noise floor, below: \(String(format: "%.1e", floor))", "graph 0")
        return [
            "set label \"\(text)\" at graph 0.99, \(height) right offset 0,0.6 textcolor rgb \"\(GnuplotScript.grey)\""
        ]
    }
}
