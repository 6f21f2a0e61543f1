import Results

/// P2: answers after several handoffs, all tokens alike against tokens of different precisions, by budget.
struct TableQ2Hops: TableDefinition {
    let id = "Q2"
    let title = "Table Q2. Answers by hop and budget, uniform against adaptive"
    let needs = ["hops"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try HopSeries.all(input.results.table("hops")!)
        return orderedSet(all.map(\.setting)).map { setting in
            let own = all.filter { $0.setting == setting }
            let pairs = own.budgets.flatMap { budget in
                orderedSet(own.map(\.hops)).filter { $0 > 0 }.sorted().map { hops in
                    (own.first(HopSeries.uniform, budget, hops: hops), own.first(HopSeries.adaptive, budget, hops: hops))
                }
            }
            let p = pairs.map { uniform, adaptive in uniform.flatMap { adaptive?.pValue(against: $0) } }
            var corrected = Statistics.holm(p.compactMap(\.self))[...]
            let rows = zip(pairs, p).compactMap { pair, p -> [ReportTable.Cell]? in
                row(pair.0, pair.1, p.map { _ in corrected.removeFirst() })
            }
            let several = Set(all.map { [$0.setting.model, $0.setting.task] }).count < Set(all.map(\.setting)).count
            let name = [setting.model, setting.task] + (several ? ["moves \(setting.moves)"] : [])
            return ReportTable(
                id: "\(id)-\(fileName(name.joined(separator: "-")))", title: "\(title): \(name.joined(separator: ", "))",
                caption: """
                    \(own.story) Adaptive: the controller 'topology', ours, a stand-in for that of P2, which is not published in \
                    enough detail to copy; both have the same bytes to spend. p: exact McNemar on the same answers, Holm's \
                    correction over \(p.compactMap(\.self).count). Verdict: the one with more right answers is better where p \
                    is below 0.05. \(input.provenance())
                    """,
                columns: Self.columns, rows: controls(own) + rows, notes: own.weakNote)
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Budget (bits)", key: "budget_bits", .text, alignment: .right),
        .init("Hops", key: "hops", .count),
        .init("Bits, uniform", key: "uniform_bits", .plain),
        .init("Bits, adaptive", key: "adaptive_bits", .plain),
        .init("Card, uniform", key: "uniform_card_bytes", .bytes, unitGroup: "card"),
        .init("Card, adaptive", key: "adaptive_card_bytes", .bytes, unitGroup: "card"),
        .init("Answers", key: "answers", .count),
        .init("Right, uniform", key: "uniform_right", .share, hasInterval: true),
        .init("Right, adaptive", key: "adaptive_right", .share, hasInterval: true),
        .init("KLD, uniform", key: "uniform_kld", .plain, hasInterval: true),
        .init("KLD, adaptive", key: "adaptive_kld", .plain, hasInterval: true),
        .init("p, Holm", key: "p_holm", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(_ uniform: HopSeries?, _ adaptive: HopSeries?, _ p: Double?) -> [ReportTable.Cell]? {
        guard let any = uniform ?? adaptive else { return nil }
        let absent = ReportTable.Cell.missing("this controller was not run")
        func cell(_ series: HopSeries?, _ cell: (HopSeries) -> ReportTable.Cell) -> ReportTable.Cell {
            series.map(cell) ?? absent
        }
        return [
            .text(NumberText.exact(any.budgetBits)), .count(any.hops), cell(uniform) { .number($0.storedBits) },
            cell(adaptive) { .number($0.storedBits) }, cell(uniform) { .number($0.cardBytes) },
            cell(adaptive) { .number($0.cardBytes) }, .count(any.isRight.count), cell(uniform) { .estimate($0.right) },
            cell(adaptive) { .estimate($0.right) }, cell(uniform, \.divergenceCell),
            cell(adaptive, \.divergenceCell), p.map(ReportTable.Cell.number) ?? absent,
            p.map { .text(Self.verdict(uniform!, adaptive!, p: $0)) } ?? absent,
        ]
    }

    static func verdict(_ uniform: HopSeries, _ adaptive: HopSeries, p: Double) -> String {
        guard p < 0.05 else { return "no difference shown" }
        return adaptive.right.value > uniform.right.value ? "adaptive better" : "uniform better"
    }

    /// The context that was not handed on, and cards of the most bits.
    private func controls(_ own: [HopSeries]) -> [[ReportTable.Cell]] {
        let nothing = ReportTable.Cell.missing("nothing to choose")
        return ([own.unhanded].compactMap(\.self) + own.finest).map { series in
            let isHanded = series.hops > 0
            let noCard = ReportTable.Cell.missing("not handed on")
            return [
                .text(isHanded ? NumberText.exact(series.budgetBits) : "none"), .count(series.hops),
                isHanded ? .number(series.storedBits) : noCard, nothing, isHanded ? .number(series.cardBytes) : noCard, nothing,
                .count(series.isRight.count), .estimate(series.right), nothing,
                isHanded ? series.divergenceCell : noCard, nothing, nothing,
                nothing,
            ]
        }
    }
}
