/// P1, Figure 1, from the models' configurations: what a block of 256 tokens holds, FP16 beside Q4. The paper's figure draws
/// the system; this one has the bytes that pass through it.
struct Figure01Block: FigureDefinition {
    let id = "F1"
    let title = "Figure 1. What a cache block of one layer holds"
    let needs: [String] = []

    /// Tokens of a block.
    private static let tokens = 256

    func build(_ input: ReportInput) throws -> [Figure] {
        let models = try ShapeSpec.published(in: input.shapesFolder)
        guard !models.isEmpty else { return [] }
        var data = TabSeparated(columns: ["series", "model", "scheme", "x", "low_kib", "high_kib"])
        for (index, entry) in models.enumerated() {
            for (place, scheme) in ["FP16", "Q4"].enumerated() {
                var low = 0.0
                for (side, width) in [("keys", entry.shape.keyWidth), ("values", entry.shape.valueWidth)] {
                    for part in entry.shape.parts(width: width, isQuantized: scheme == "Q4") {
                        let high = low + part.bytes * Double(Self.tokens) / 1024
                        data.append([
                            .text("\(side), \(part.name)"), .text(entry.model.title), .text(scheme),
                            .number(Double(3 * index + place)), .number(low), .number(high),
                        ])
                        low = high
                    }
                }
            }
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    KiB of \(Self.tokens) tokens of one layer, all KV heads, computed from the configurations in \
                    experiments/shapes: \(models.map { Self.words($0.model, $0.shape) }.joined(separator: "; ")). MLA is \
                    expanded, as in P1. Q4: groups of 64 with a scale and a bias of 16 bits each.
                    """,
                data: data.text, script: script(models.map(\.model)).text)
        ]
    }

    private static func words(_ model: PublishedModel, _ shape: ShapeSpec) -> String {
        "\(model.title) \(shape.numKeyValueHeads) × (\(shape.keyWidth) + \(shape.valueWidth))"
    }

    private static let series = [
        ("keys, 16 bits", GnuplotScript.blue), ("values, 16 bits", GnuplotScript.sky), ("keys, 4 bits", GnuplotScript.vermilion),
        ("keys, scales and biases", GnuplotScript.purple), ("values, 4 bits", GnuplotScript.orange),
        ("values, scales and biases", GnuplotScript.yellow),
    ]

    private func script(_ models: [PublishedModel]) -> GnuplotScript {
        let entries = Self.series.map { FigureLegend.Entry(label: $0.0, colour: $0.1, sample: .box) }
        let grid = PanelGrid(count: 1, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(name) = strcol("series") eq name"#]
        let tics = models.indices.flatMap { ["\"FP16\" \(3 * $0)", "\"Q4\" \(3 * $0 + 1)"] }
        let names = models.enumerated().map { index, model in
            "set label \(GnuplotScript.string(model.title)) at first \(Double(3 * index) + 0.5), screen 0.03 center "
                + "textcolor rgb \"\(GnuplotScript.ink)\""
        }
        let boxes = Self.series.map { name, colour in
            script.element(
                where: "of(\(GnuplotScript.field(name)))", #"column("x")"#, #""low_kib""#, #"(column("x")-0.38)"#,
                #"(column("x")+0.38)"#, #""low_kib""#, #""high_kib""#,
                style: "boxxyerror fillcolor rgb \"\(colour)\" fillstyle solid noborder")
        }
        script.panels = [
            names + [
                #"set title "" "#, "unset xlabel", "set xtics (\(tics.joined(separator: ", ")))", grid.yLabel(0, "KiB per block"),
                "plot [-0.7:\(Double(3 * models.count) - 1.3)] [0:*] \\\n  " + boxes.joined(separator: ", \\\n  "),
            ]
        ]
        return script
    }
}
