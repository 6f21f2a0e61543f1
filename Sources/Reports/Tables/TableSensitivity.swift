import Results

/// Which layers, and which heads, a quantized cache hurts most.
struct TableSensitivity: TableDefinition {
    let id = "sensitivity"
    let title = "Quality. One layer quantized at a time"
    let needs = ["sensitivity"]

    static let headTitle = "Quality. One head quantized at a time"
    static let parts = ["keys", "values", "both"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try LayerSensitivity.all(input.results.table("sensitivity")!)
        return orderedSet(all.map { [$0.model, $0.scheme] }).flatMap { key -> [ReportTable] in
            let own = all.filter { [$0.model, $0.scheme] == key }
            let (layers, heads) = (own.filter { $0.head == nil }, own.filter { $0.head != nil })
            return [layerTable(key, layers, input)] + (heads.isEmpty ? [] : [headTable(key, heads, input)])
        }
    }

    private func layerTable(_ key: [String], _ own: [LayerSensitivity], _ input: ReportInput) -> ReportTable {
        ReportTable(
            id: "\(id)-\(fileName(key[0]))-\(fileName(key[1]))", title: "\(title): \(key[0]), \(key[1])",
            caption: """
                Mean KL divergence in nats from a cache of \(own[0].baseScheme) with the keys, the values or both of one \
                layer in \(key[1]) and the rest in \(own[0].baseScheme): \(own[0].tokens) tokens in \
                \(own[0].windows.count) windows of \(own[0].windowTokens), each from an empty cache; every position reads what the \
                cache stores. Reference arithmetic. Brackets: 95 % by drawing whole windows. \(input.provenance())
                """,
            columns: Self.columns(Self.parts), rows: rows(own, Self.parts), notes: sum(own))
    }

    private func headTable(_ key: [String], _ own: [LayerSensitivity], _ input: ReportInput) -> ReportTable {
        let parts = Self.parts.filter { part in own.contains { $0.part == part } }
        return ReportTable(
            id: "\(id)-heads-\(fileName(key[0]))-\(fileName(key[1]))", title: "\(Self.headTitle): \(key[0]), \(key[1])",
            caption: """
                Mean KL divergence in nats from a cache of \(own[0].baseScheme) when the rows of one KV head are encoded in \
                \(key[1]), decoded, and stored in \(own[0].baseScheme) as all others are: a cache has one scheme for all heads of a \
                layer, so this is simulated. \(own[0].tokens) tokens in \(own[0].windows.count) windows of \(own[0].windowTokens), \
                each from an empty cache; every position reads such rows. Reference arithmetic. Brackets: 95 % by drawing whole \
                windows. \(input.provenance())
                """,
            columns: Self.columns(parts), rows: rows(own, parts), notes: [])
    }

    private func rows(_ own: [LayerSensitivity], _ parts: [String]) -> [[ReportTable.Cell]] {
        orderedSet(own.map(\.subject)).map { subject in
            [.text(subject)] + parts.map { part in cell(own.first { $0.subject == subject && $0.part == part }) }
        }
    }

    private static func columns(_ parts: [String]) -> [ReportTable.Column] {
        [.init("Quantized", key: "layer", .text)]
            + parts.map { .init($0.capitalized, key: "kld_\($0)", .plain, hasInterval: true) }
    }

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
