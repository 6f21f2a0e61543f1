import Foundation

/// The error of quantized caches against the position in a document, and against the number of decoded tokens: a panel for each
/// model and way.
struct FigureDrift: FigureDefinition {
    let id = "F-drift"
    let title = "Error by position and by decoded tokens"
    let needs = ["drift"]

    /// Points of a line.
    private static let points = 16

    private static let words = [
        "read": "Position in the document", "generated": "Tokens decoded, the base's own",
        "followed": "Tokens decoded, the document's",
    ]
    private static let colours = [
        GnuplotScript.blue, GnuplotScript.vermilion, GnuplotScript.green, GnuplotScript.purple, GnuplotScript.orange,
        GnuplotScript.sky,
    ]

    /// The colour of the scheme at `index` of a figure's.
    static func colour(_ index: Int) -> String { colours[index % colours.count] }

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("drift"), table.rowCount > 0 else { return [] }
        let series = try DriftSeries.all(table)
        var data = TabSeparated(columns: ["panel", "model", "way", "scheme", "place", "kld", "kld_low", "kld_high"])
        let panels = orderedSet(series.map { [$0.model, $0.way] })
        for one in series {
            let width = max(1, one.places / Self.points)
            for start in stride(from: 0, to: one.places - width + 1, by: width) {
                let range = start..<start + width
                let drawn = one.mean(range)
                data.append([
                    .count(panels.firstIndex(of: [one.model, one.way])!), .text(one.model), .text(one.way), .text(one.scheme),
                    .number(Double(start) + Double(width + 1) / 2), .number(DriftSeries.mean(one.documents, range)),
                    .number(drawn?.interval.lower ?? .nan), .number(drawn?.interval.upper ?? .nan),
                ])
            }
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Mean KL divergence from an unquantized cache on the same tokens, over \(Self.points) equal parts, with 95 % \
                    intervals by drawing whole documents; the vertical axis is logarithmic. \(input.provenance())
                    """,
                data: data.text, script: script(series, panels).text)
        ]
    }

    private func script(_ series: [DriftSeries], _ panels: [[String]]) -> GnuplotScript {
        let schemes = orderedSet(series.map(\.scheme))
        func colour(_ scheme: String) -> String { Self.colour(schemes.firstIndex(of: scheme)!) }
        let legend = FigureLegend(
            entries: schemes.map { .init(label: $0, colour: colour($0), sample: .line(pointType: 7, dashed: false)) })
        let grid = PanelGrid(count: panels.count, legend: legend)
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p, name) = column("panel") == p && strcol("scheme") eq name"#]
        for (panel, key) in panels.enumerated() {
            let own = series.filter { [$0.model, $0.way] == key }
            let elements = own.map { one in
                script.element(
                    where: "of(\(panel), \(GnuplotScript.field(one.scheme)))", #"column("place")"#, #""kld""#, #""kld_low""#,
                    #""kld_high""#,
                    style: "yerrorlines linecolor rgb \"\(colour(one.scheme))\" linewidth 1.2 pointtype 7 pointsize 0.4")
            }
            script.panels.append(
                [
                    "set title \(GnuplotScript.string(key[0])) offset 0,-0.4",
                    "set xlabel \(GnuplotScript.string(Self.words[key[1]] ?? key[1])) offset 0,0.3",
                    grid.yLabel(panel, "KL divergence (nats)"), "set logscale y 10",
                    #"set format y "%.0e""#, "set xtics \(max(1, (own.map(\.places).max() ?? 1) / 4))", "set ytics auto",
                ] + ["plot [0:*] \\\n  " + elements.joined(separator: ", \\\n  ")])
        }
        return script
    }
}
