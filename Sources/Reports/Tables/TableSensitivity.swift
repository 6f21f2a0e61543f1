import Results

/// Which layers a quantized cache hurts most.
struct TableSensitivity: TableDefinition {
    let id = "sensitivity"
    let title = "Quality. One layer quantized at a time"
    let needs = ["sensitivity"]

    static let parts = ["keys", "values", "both"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try LayerSensitivity.all(input.results.table("sensitivity")!)
        return orderedSet(all.map { [$0.model, $0.scheme] }).map { key in
            let own = all.filter { [$0.model, $0.scheme] == key }
            let layers = orderedSet(own.map(\.layer))
            return ReportTable(
                id: "\(id)-\(fileName(key[0]))-\(fileName(key[1]))", title: "\(title): \(key[0]), \(key[1])",
                caption: """
                    Mean KL divergence in nats from a cache of \(own[0].baseScheme) with the keys, the values or both of one \
                    layer in \(key[1]) and the rest in \(own[0].baseScheme): \(own[0].tokens) tokens in \
                    \(own[0].windows.count) windows of \(own[0].windowTokens), each from an empty cache; every position reads what the cache stores. Reference \
                    arithmetic. Brackets: 95 % by drawing whole windows. \(input.provenance())
                    """,
                columns: Self.columns,
                rows: layers.map { layer in
                    [.text(layer.map { "layer \($0)" } ?? "all layers")]
                        + Self.parts.map { part in cell(own.first { $0.layer == layer && $0.part == part }) }
                }, notes: sum(own))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Quantized", key: "layer", .text),
        .init("Keys", key: "kld_keys", .plain, hasInterval: true),
        .init("Values", key: "kld_values", .plain, hasInterval: true),
        .init("Both", key: "kld_both", .plain, hasInterval: true),
    ]

    private func cell(_ series: LayerSensitivity?) -> ReportTable.Cell {
        guard let series else { return .missing("not measured apart") }
        return .drawn(series.divergence, else: "an interval needs two windows")
    }

    private func sum(_ own: [LayerSensitivity]) -> [String] {
        guard let whole = own.first(where: { $0.layer == nil }), whole.mean > 0 else { return [] }
        let single = own.filter { $0.layer != nil && $0.part == "both" }.reduce(0) { $0 + $1.mean }
        return [
            "The divergences of single layers add up to \(NumberText.short(single)), which is "
                + "\(NumberText.short(single / whole.mean)) × that of all layers at once."
        ]
    }
}
