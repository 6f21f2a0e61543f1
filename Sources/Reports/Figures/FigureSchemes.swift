import Foundation
import Results

/// What cache schemes cost and what they do to predictions and answers: bits against KL divergence, and bits against right answers,
/// one panel for each model, with the schemes that no other one beats in both.
struct FigureSchemes: FigureDefinition {
    let id = "F-schemes"
    let title = "Cache schemes: bits against KL divergence"
    let needs = ["schemes", "schemes_windows", "schemes_tokens"]

    /// What stands on the vertical axis.
    private enum Measure {
        case divergence, answers
    }

    private struct Point {
        var scheme: String
        var bits: Double
        var value: Double
        var low: Double
        var high: Double
        /// Decode tokens per second; nil where speed was not measured.
        var speed: Double?
        var isOnFront = false
    }

    private struct Panel {
        var model: String
        var measure: Measure
        /// In the order of their bits.
        var points: [Point]
        /// What the unquantized cache has: the noise floor, or its right answers.
        var base: Double?

        var bits: ClosedRange<Double> {
            let (least, most) = (points.map(\.bits).min()!, points.map(\.bits).max()!)
            return min(FigureSchemes.tics.last { $0 <= least } ?? least, least * 0.97) * 0.97...most * 1.12
        }
        var values: ClosedRange<Double> {
            let all = points.flatMap { [$0.low > 0 ? $0.low : $0.value, $0.high] }
            switch measure {
            case .divergence:
                let low = [all.min()!] + (base.map { [$0] } ?? []).filter { isNear($0) }
                return low.min()! / 1.8...all.max()! * 1.8
            case .answers:
                let low = all.min()!, high = (all + (base.map { [$0] } ?? [])).max()!
                let margin = max(0.1 * (high - low), 0.005)
                return max(0, low - margin)...high + margin
            }
        }
        /// Is the noise floor near enough to be drawn?
        func isNear(_ floor: Double) -> Bool { measure == .answers || floor > points.map(\.value).min()! / 8 }
        /// Where a value stands between the ends of the axis, from 0 to 1.
        func height(_ value: Double) -> Double {
            let range = values
            switch measure {
            case .divergence: return log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
            case .answers: return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
            }
        }
    }

    func build(_ input: ReportInput) throws -> [Figure] {
        let series = try SchemeSeries.all(input.results)
        let models = orderedSet(series.map(\.model))
        return [
            figure(models.compactMap { divergences(series, $0) }, .divergence, input),
            figure(models.compactMap { answers(series, $0) }, .answers, input),
        ].compactMap { $0 }
    }

    private func figure(_ panels: [Panel], _ measure: Measure, _ input: ReportInput) -> Figure? {
        guard !panels.isEmpty else { return nil }
        var data = TabSeparated(
            columns: ["panel", "kind", "scheme", "family", "bits", "value", "low", "high", "tokens_per_second", "size"])
        let fastest = panels.flatMap(\.points).compactMap(\.speed).max()
        for (index, panel) in panels.enumerated() {
            for (kind, points) in [("point", panel.points), ("front", panel.points.filter(\.isOnFront))] {
                for point in points {
                    data.append([
                        .count(index), .text(kind), .text(point.scheme), .count(Self.family(point.scheme)), .number(point.bits),
                        .number(point.value), .number(point.low), .number(point.high), .number(point.speed ?? .nan),
                        .number(Self.size(point.speed, fastest)),
                    ])
                }
            }
        }
        let (id, title, what): (String, String, String)
        switch measure {
        case .divergence:
            (id, title) = (self.id, self.title)
            what = """
                the mean KL divergence in nats from the model with an unquantized cache, with its 95 % interval. Dashed: the \
                unquantized cache on the other compute path, the noise floor
                """
        case .answers:
            (id, title) = ("\(self.id)-answers", "Cache schemes: bits against right answers")
            what = "the share of right answers of all tasks, with Wilson's 95 % interval. Dashed: the unquantized cache"
        }
        return Figure(
            id: id, title: title,
            caption: """
                Bits that an element of keys and values takes in memory, rows that wait in 16-bit floats among them, against \
                \(what). Line and names: schemes that no other beats in both; the others by their families' colours, \
                their names in the table. Larger points decode faster. \(input.provenance())
                """,
            data: data.text, script: script(id, title, panels, measure, fastest).text)
    }

    private func divergences(_ series: [SchemeSeries], _ model: String) -> Panel? {
        let own = series.filter { $0.model == model }
        let points = own.compactMap { series -> Point? in
            guard !series.isBase, let bits = series.bits, let mean = series.mean, mean.estimate > 0 else { return nil }
            return Point(
                scheme: series.scheme, bits: bits, value: mean.estimate, low: mean.interval.lower, high: mean.interval.upper,
                speed: speed(series))
        }
        let floor = own.first(where: \.isBase)?.mean?.estimate
        return panel(model, .divergence, points, base: floor.flatMap { $0 > 0 ? $0 : nil })
    }

    private func answers(_ series: [SchemeSeries], _ model: String) -> Panel? {
        let own = series.filter { $0.model == model }
        func share(_ series: SchemeSeries) -> (value: Double, interval: Interval)? {
            let right = series.answers.values.count { $0 }
            return Statistics.wilsonInterval(successes: right, of: series.answers.count).map {
                (Double(right) / Double(series.answers.count), $0)
            }
        }
        let points = own.compactMap { series -> Point? in
            guard !series.isBase, let bits = series.bits, let share = share(series) else { return nil }
            return Point(
                scheme: series.scheme, bits: bits, value: share.value, low: share.interval.lower, high: share.interval.upper,
                speed: speed(series))
        }
        return panel(model, .answers, points, base: own.first(where: \.isBase).flatMap(share)?.value)
    }

    private func speed(_ series: SchemeSeries) -> Double? {
        series.tokenRates.isEmpty ? nil : Statistics.median(series.tokenRates)
    }

    private func panel(_ model: String, _ measure: Measure, _ points: [Point], base: Double?) -> Panel? {
        guard !points.isEmpty else { return nil }
        // Less is better.
        func loss(_ point: Point) -> Double { measure == .divergence ? point.value : -point.value }
        var points = points.sorted { ($0.bits, loss($0)) < ($1.bits, loss($1)) }
        var least = Double.infinity
        for index in points.indices where loss(points[index]) < least {
            points[index].isOnFront = true
            least = loss(points[index])
        }
        return Panel(model: model, measure: measure, points: points, base: base)
    }

    // MARK: Script

    private static let families: [(name: String, colour: String, pointType: Int, holds: @Sendable (String) -> Bool)] = [
        ("token mixes, ZipCache", GnuplotScript.grey, 7, { $0.hasPrefix("mixed(") || $0 == "zipcache" }),
        ("K and V, or layers, differ", GnuplotScript.sky, 7, { $0.contains("=") || $0.hasPrefix("layers") }),
        ("Hadamard", GnuplotScript.vermilion, 5, { $0.hasPrefix("hadamard") }),
        ("affine (MLX)", GnuplotScript.blue, 7, { $0.hasPrefix("affine") }),
        ("GGML", GnuplotScript.green, 7, { $0.hasPrefix("q") || $0.hasPrefix("iq") }),
        ("FP8, MXFP4, NVFP4", GnuplotScript.orange, 7, { $0.hasPrefix("fp8") || $0.contains("fp4") }),
        ("TurboQuant", GnuplotScript.purple, 9, { $0.hasPrefix("turboquant") }),
        ("KIVI", GnuplotScript.ink, 5, { $0.hasPrefix("kivi") }),
        ("KVQuant", GnuplotScript.ink, 9, { $0.hasPrefix("kvquant") }),
        ("others", GnuplotScript.ink, 7, { _ in true }),
    ]
    private static func family(_ scheme: String) -> Int { families.firstIndex { $0.holds(scheme) }! }
    private static let panelSize = (width: 6.6, height: 3.9)
    private static let tics = [1, 1.5, 2, 3, 4, 5, 6, 8, 12, 16, 32]

    /// Size of a point; that of the fastest where speed was not measured.
    private static func size(_ speed: Double?, _ fastest: Double?) -> Double {
        guard let speed, let fastest else { return 0.8 }
        return 0.3 + 0.5 * speed / fastest
    }

    private func script(
        _ id: String, _ title: String, _ panels: [Panel], _ measure: Measure, _ fastest: Double?
    ) -> GnuplotScript {
        let used = Set(panels.flatMap(\.points).map { Self.family($0.scheme) }).sorted()
        var entries = used.map { index in
            let family = Self.families[index]
            return FigureLegend.Entry(
                label: family.name, colour: family.colour, sample: .point(pointType: family.pointType, size: 0.6))
        }
        if let fastest, let slowest = panels.flatMap(\.points).compactMap(\.speed).min(), slowest < fastest {
            for speed in [slowest, fastest] {
                entries.append(
                    .init(
                        label: "\(NumberText.short(speed)) tokens/s", colour: GnuplotScript.pale(GnuplotScript.ink),
                        sample: .point(pointType: 7, size: Self.size(speed, fastest))))
            }
        }
        let grid = PanelGrid(
            columns: 1, rows: panels.count, legend: FigureLegend(entries: entries), panelSize: Self.panelSize)
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [
            #"of(p, kind) = column("panel") == p && strcol("kind") eq kind"#,
            #"member(p, f) = of(p, "point") && column("family") == f"#,
        ]
        script.panels = panels.enumerated().map { index, panel in commands(index, panel, grid, script) }
        return script
    }

    private func commands(_ index: Int, _ panel: Panel, _ grid: PanelGrid, _ script: GnuplotScript) -> [String] {
        let (x, y) = (panel.bits, panel.values)
        let front = script.element(
            where: "of(\(index), \"front\")", #"column("bits")"#, #""value""#,
            style: "lines linecolor rgb \"\(GnuplotScript.pale(GnuplotScript.grey))\" linewidth 2")
        let base = panel.base.flatMap { panel.isNear($0) ? $0 : nil }.map {
            "\($0) with lines linecolor rgb \"\(GnuplotScript.grey)\" linewidth 1 dashtype 2 notitle"
        }
        let points = Set(panel.points.map { Self.family($0.scheme) }).sorted().flatMap { number -> [String] in
            let family = Self.families[number]
            let here = "member(\(index), \(number))"
            return [
                script.element(
                    where: here, #"column("bits")"#, #""value""#, #""low""#, #""high""#,
                    style: "yerrorbars linecolor rgb \"\(GnuplotScript.pale(family.colour))\" pointtype 7 pointsize 0 linewidth 0.8"),
                script.element(
                    where: here, #"column("bits")"#, #""value""#, #""size""#,
                    style: "points linecolor rgb \"\(family.colour)\" pointtype \(family.pointType) pointsize variable"),
            ]
        }
        let tics = Self.tics.map { "\"\(NumberText.exact($0))\" \($0)" }.joined(separator: ", ")
        let (label, axes) =
            panel.measure == .divergence
            ? ("KL divergence (nats per token)", ["set logscale xy", #"set format y "%.0e""#])
            : ("Right answers", ["set logscale x", #"set format y "%g""#])
        return [
            "set title \(GnuplotScript.string(panel.model)) offset 0,-0.4",
            #"set xlabel "Bits per element of keys and values, scales and waiting rows included" offset 0,0.3"#,
            grid.yLabel(index, label), "unset logscale", "set xtics (\(tics))", "set ytics auto",
        ] + axes + labels(panel) + baseLabel(panel) + [
            "plot [\(x.lowerBound):\(x.upperBound)] [\(y.lowerBound):\(y.upperBound)] \\\n  "
                + ([front] + (base.map { [$0] } ?? []) + points).joined(separator: ", \\\n  ")
        ]
    }

    /// The names of the schemes on the front.
    private func labels(_ panel: Panel) -> [String] {
        let x = panel.bits
        let (width, height) = Self.panelSize
        func centre(_ point: Point) -> (text: String, x: Double, y: Double) {
            let place = log(point.bits / x.lowerBound) / log(x.upperBound / x.lowerBound)
            return (point.scheme, place * width, panel.height(point.value) * height)
        }
        let front = panel.points.filter(\.isOnFront)
        let centres = front.map(centre)
        let places = LabelPlacement.place(
            centres, beside: panel.points.filter { !$0.isOnFront }.map { centre($0) }.map { ($0.x, $0.y) },
            around: centres.map { ($0.x, $0.y) }, width: width, height: height)
        return zip(zip(front, centres), places).flatMap { pair, placed in
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

    private func baseLabel(_ panel: Panel) -> [String] {
        guard let base = panel.base else { return [] }
        let (text, place) =
            switch panel.measure {
            case .answers: ("unquantized cache", "graph 0.01, first \(base) left")
            case .divergence where panel.isNear(base): ("noise floor", "graph 0.99, first \(base) right")
            case .divergence: ("noise floor, below: \(String(format: "%.1e", base))", "graph 0.99, graph 0 right")
            }
        return ["set label \"\(text)\" at \(place) offset 0,0.6 textcolor rgb \"\(GnuplotScript.grey)\""]
    }
}
