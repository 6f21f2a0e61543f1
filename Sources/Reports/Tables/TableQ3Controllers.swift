import Results

/// P2: what chooses the precisions of a card's tokens, all controllers at equal bytes.
struct TableQ3Controllers: TableDefinition {
    let id = "Q3"
    let title = "Table Q3. Controllers at equal bytes"
    let needs = ["hops"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try HopSeries.all(input.results.table("hops")!)
        return orderedSet(all.map(\.setting)).compactMap { setting in
            let own = all.filter { $0.setting == setting }
            let hops = orderedSet(own.map(\.hops)).filter { $0 > 0 }
            guard let first = hops.min(), let last = hops.max() else { return nil }
            let controllers = orderedSet(own.map(\.controller)).filter { $0 != HopSeries.none }
            let places = own.budgets.flatMap { budget in controllers.map { (budget, $0) } }
            let p = places.map { budget, controller -> Double? in
                guard controller != HopSeries.uniform, let uniform = own.first(HopSeries.uniform, budget, hops: last) else { return nil }
                return own.first(controller, budget, hops: last)?.pValue(against: uniform)
            }
            var corrected = Statistics.holm(p.compactMap(\.self))[...]
            let several = Set(all.map { [$0.setting.model, $0.setting.task] }).count < Set(all.map(\.setting)).count
            let name = [setting.model, setting.task] + (several ? ["moves \(setting.moves)"] : [])
            return ReportTable(
                id: "\(id)-\(fileName(name.joined(separator: "-")))", title: "\(title): \(name.joined(separator: ", "))",
                caption: """
                    \(own.story) Controllers differ in the weights of tokens; schemes follow from weights and budget in one way for \
                    all. 'topology' is ours, a stand-in for that of P2; 'oracle' knows the questions. p: exact McNemar against \
                    uniform on the same answers after \(last) handoffs, Holm's correction over \(p.compactMap(\.self).count). \
                    \(input.provenance())
                    """,
                columns: Self.columns(first, last),
                rows: zip(places, p).map { place, p in
                    row(own, place.0, place.1, first, last, p.map { _ in corrected.removeFirst() })
                }, notes: own.weakNote)
        }
    }

    private static func columns(_ first: Int, _ last: Int) -> [ReportTable.Column] {
        [
            .init("Budget (bits)", key: "budget_bits", .text, alignment: .right),
            .init("Controller", key: "controller", .text),
            .init("Bits", key: "stored_bits", .plain),
            .init("Card", key: "card_bytes", .bytes),
            .init("Right, \(first) hop\(first == 1 ? "" : "s")", key: "right_first", .share, hasInterval: true),
            .init("Right, \(last) hops", key: "right_last", .share, hasInterval: true),
            .init("KLD, \(first) hop\(first == 1 ? "" : "s")", key: "kld_first", .plain, hasInterval: true),
            .init("KLD, \(last) hops", key: "kld_last", .plain, hasInterval: true),
            .init("p, Holm", key: "p_holm", .plain),
        ]
    }

    private func row(
        _ own: [HopSeries], _ budget: Double, _ controller: String, _ first: Int, _ last: Int, _ p: Double?
    ) -> [ReportTable.Cell] {
        let absent = ReportTable.Cell.missing("not run at this budget")
        let ends = [first, last].map { own.first(controller, budget, hops: $0) }
        return [.text(NumberText.exact(budget)), .text(controller)]
            + (ends[1].map { [.number($0.storedBits), .number($0.cardBytes)] } ?? [absent, absent])
            + ends.map { $0.map { .estimate($0.right) } ?? absent }
            + ends.map { $0?.divergenceCell ?? absent }
            + [
                p.map(ReportTable.Cell.number)
                    ?? .missing(controller == HopSeries.uniform ? "what the others are compared with" : "not the same answers")
            ]
    }
}
