/// P1, Figure 4, from the models' configurations: what each layer keeps of the past, and at how many bytes per token.
struct Figure04Models: FigureDefinition {
    let id = "F4"
    let title = "Figure 4. The models, layer by layer"
    let needs: [String] = []

    func build(_ input: ReportInput) throws -> [Figure] {
        let models = try ShapeSpec.published(in: input.shapesFolder)
        guard !models.isEmpty else { return [] }
        var data = TabSeparated(columns: ["model", "keeps", "layer", "q4_bytes_per_token"])
        for (model, shape) in models {
            let bytes = [shape.keyWidth, shape.valueWidth].flatMap { shape.parts(width: $0, isQuantized: true) }.map(\.bytes)
            for layer in 0..<shape.numHiddenLayers {
                data.append([
                    .text(model.title), .text(shape.kind(layer: layer)), .count(layer + 1), .number(bytes.reduce(0, +)),
                ])
            }
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    One bar per layer, its height the bytes of a token in a Q4 cache, its colour what the layer keeps; \
                    generated from the configurations in experiments/shapes. \
                    \(models.map { Self.words($0.model, $0.shape) }.joined(separator: ". ")).
                    """,
                data: data.text, script: script(models).text)
        ]
    }

    private static func words(_ model: PublishedModel, _ shape: ShapeSpec) -> String {
        let latent = shape.kvLoraRank.flatMap { rank in
            shape.qkRopeHeadDim.map { ", compressed to \(rank) + \($0) by MLA" }
        }
        let experts = shape.nRoutedExperts.flatMap { all in shape.numExpertsPerTok.map { ", \($0) of \(all) experts" } }
        return "\(model.title): \(shape.numHiddenLayers) layers, hidden \(shape.hiddenSize), \(shape.numAttentionHeads) heads, "
            + "\(shape.numKeyValueHeads) of keys and values, \(shape.keyWidth) and \(shape.valueWidth) wide"
            + (latent ?? "") + (experts ?? "")
    }

    private static let colours = [GnuplotScript.blue, GnuplotScript.orange, GnuplotScript.green, GnuplotScript.purple]

    private func script(_ models: [(model: PublishedModel, shape: ShapeSpec)]) -> GnuplotScript {
        let kinds = orderedSet(models.flatMap { entry in (0..<entry.shape.numHiddenLayers).map(entry.shape.kind) }.sorted())
        let colour = { (index: Int) in Self.colours[index % Self.colours.count] }
        let entries = kinds.enumerated().map { FigureLegend.Entry(label: $1, colour: colour($0), sample: .box) }
        let grid = PanelGrid(count: models.count, legend: FigureLegend(entries: entries))
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(name, kind) = strcol("model") eq name && strcol("keeps") eq kind"#, "set boxwidth 0.8"]
        script.panels = models.enumerated().map { index, entry in
            let own = kinds.filter { kind in (0..<entry.shape.numHiddenLayers).contains { entry.shape.kind(layer: $0) == kind } }
            let bars = own.map { kind in
                script.element(
                    where: "of(\(GnuplotScript.field(entry.model.title)), \(GnuplotScript.field(kind)))", #"column("layer")"#,
                    #""q4_bytes_per_token""#,
                    style: "boxes fillcolor rgb \"\(colour(kinds.firstIndex(of: kind)!))\" fillstyle solid noborder")
            }
            return [
                "set title \(GnuplotScript.string(entry.model.title)) offset 0,-0.4", #"set xlabel "Layer" offset 0,0.3"#,
                "set xtics auto", grid.yLabel(index, "Bytes per token, Q4"),
                "plot [0:\(entry.shape.numHiddenLayers + 1)] [0:*] \\\n  " + bars.joined(separator: ", \\\n  "),
            ]
        }
        return script
    }
}
