import Results

/// Maps of layers beside uniform schemes, by bits.
struct TableTune: TableDefinition {
    let id = "tune"
    let title = "Quality. Maps of layers under a budget of bits"
    let needs = ["tune"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try TunedScheme.all(input.results.table("tune")!)
        return orderedSet(all.map(\.model)).map { model in
            let own = all.filter { $0.model == model }.sorted { ($0.bits, $0.scheme) < ($1.bits, $1.scheme) }
            return ReportTable(
                id: "\(id)-\(fileName(model))", title: "\(title): \(model)",
                caption: """
                    Mean KL divergence in nats from \(own[0].baseScheme) on texts that were not searched on: \(own[0].tokens) tokens in \
                    \(own[0].windows.count) windows of \(own[0].windowTokens) from \(own[0].texts.count) texts, each window from an empty \
                    cache; reference arithmetic; brackets: 95 % by drawing whole windows. Bits: of an encoded element, scales among \
                    them, residual windows not. ÷ uniform: the map's divergence over that of the best single candidate of no more bits, on the \
                    same windows; below 1 the map is better. Predicted: the sum of what each layer's keys and values did alone on \
                    the texts searched on. \(input.provenance())
                    """,
                columns: Self.columns, rows: own.map { row($0, own) })
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("", key: "kind", .text),
        .init("Budget", key: "budget", .plain),
        .init("Bits", key: "bits", .plain),
        .init("KLD", key: "kld", .plain, hasInterval: true),
        .init("÷ uniform", key: "against_uniform", .plain, hasInterval: true),
        .init("Predicted", key: "predicted", .plain),
        .init("Cache", key: "scheme", .text),
    ]

    private func row(_ scheme: TunedScheme, _ all: [TunedScheme]) -> [ReportTable.Cell] {
        [
            .text(scheme.budget == nil ? "uniform" : "map"),
            scheme.budget.map(ReportTable.Cell.number) ?? .missing("a uniform scheme has no budget"),
            .number(scheme.bits), .drawn(scheme.divergence, else: "an interval needs two windows"), comparison(scheme, all),
            .number(scheme.predicted), .text(scheme.scheme),
        ]
    }

    private func comparison(_ scheme: TunedScheme, _ all: [TunedScheme]) -> ReportTable.Cell {
        guard scheme.budget != nil else { return .missing("maps are compared with uniform schemes") }
        let rivals = all.filter { $0.budget == nil && $0.bits <= scheme.bits && $0.mean > 0 }
        guard let best = rivals.min(by: { $0.mean < $1.mean }) else { return .missing("no candidate has so few bits") }
        return .drawn(scheme.ratio(to: best), else: "an interval needs two windows")
    }
}
