import Results

/// Orderings of cache schemes that are known from elsewhere: did they come out in this run?
struct TableOrderings: TableDefinition {
    let id = "orderings"
    let title = "Known orderings of cache schemes"
    let needs = ["schemes", "schemes_windows", "schemes_tokens"]

    /// What is known, and two schemes of which the first then has the smaller KL divergence; nil stands for the unquantized cache.
    private struct Ordering {
        var known: String
        var smaller: String?
        var larger: String
    }

    private static let orderings = [
        Ordering(known: "more bits, smaller divergence", smaller: nil, larger: "q8_0"),
        Ordering(known: "more bits, smaller divergence", smaller: "q8_0", larger: "q5_1"),
        Ordering(known: "more bits, smaller divergence", smaller: "q5_1", larger: "q4_0"),
        Ordering(known: "Hadamard helps where keys have outlier channels", smaller: "hadamard-64(q4_0)", larger: "q4_0"),
        Ordering(
            known: "Hadamard helps where keys have outlier channels", smaller: "hadamard-32(affine-q2-g32)", larger: "affine-q2-g32"),
        Ordering(known: "2 bits: keys per channel beat keys per token", smaller: "kivi-2", larger: "affine-q2-g32"),
        Ordering(known: "coarse keys cost more than coarse values", smaller: "k=q8_0,v=q4_0", larger: "k=q4_0,v=q8_0"),
    ]
    /// Measured twice, on windows of its own each time, its intervals overlap.
    private static let repeated = "affine-q2-g32"
    /// Fewer make intervals by drawing windows too narrow.
    private static let leastWindows = 6

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let series = try SchemeSeries.all(input.results)
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    KL divergence in nats per token. Difference: that of B less that of A on the windows that both were measured on; \
                    brackets: 95 % by drawing whole windows; p: sign-flip test over windows, Holm's correction over a model's \
                    orderings. An ordering came out where the difference is positive and p below 0.05, the reverse where it is \
                    negative. The unquantized cache is on the other compute path, the noise floor. Last of a model: one scheme on \
                    every other window and on the windows between, as with two seeds. \(input.provenance())
                    """,
                columns: Self.columns,
                rows: orderedSet(series.map(\.model)).flatMap { model in rows(model, series.filter { $0.model == model }) })
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Model", key: "model", .text),
        .init("Known", key: "known", .text),
        .init("Cache A", key: "smaller", .text),
        .init("Cache B", key: "larger", .text),
        .init("KLD of A", key: "smaller_kld", .plain),
        .init("KLD of B", key: "larger_kld", .plain),
        .init("B − A", key: "difference", .plain, hasInterval: true),
        .init("Windows", key: "windows", .count),
        .init("p, Holm", key: "p_holm", .plain),
        .init("Here", key: "outcome", .text),
    ]

    private func rows(_ model: String, _ own: [SchemeSeries]) -> [[ReportTable.Cell]] {
        let pairs = Self.orderings.map { ordering -> SchemePair? in
            guard let a = own.first(where: { ordering.smaller == nil ? $0.isBase : $0.scheme == ordering.smaller }),
                let b = own.first(where: { $0.scheme == ordering.larger })
            else { return nil }
            return SchemePair(a, b)
        }
        var corrected = Statistics.holm(pairs.compactMap { $0?.p })[...]
        return zip(Self.orderings, pairs).map { ordering, pair -> [ReportTable.Cell] in
            let names: [ReportTable.Cell] = [
                .text(model), .text(ordering.known), .text(ordering.smaller ?? own.first(where: \.isBase)?.scheme ?? "unquantized"),
                .text(ordering.larger),
            ]
            guard let pair else {
                let missing = [ReportTable.Cell](repeating: .missing("not both schemes are measured in this run"), count: 5)
                return names + missing + [.text("not measured")]
            }
            let p = corrected.removeFirst()
            let isReverse = pair.worse.scheme != ordering.larger
            let (a, b) = isReverse ? (pair.worse, pair.better) : (pair.better, pair.worse)
            let outcome = p < 0.05 ? (isReverse ? "the reverse" : "came out") : "not distinguishable"
            return names + [
                mean(a), mean(b), cell(pair.difference, isReverse ? -1 : 1), .count(pair.difference.blocks), .number(p), .text(outcome),
            ]
        } + [halves(model, own)]
    }

    private func mean(_ series: SchemeSeries) -> ReportTable.Cell {
        series.mean.map { .number($0.estimate) } ?? .missing("no windows")
    }

    private func cell(_ estimate: BootstrapEstimate, _ sign: Double) -> ReportTable.Cell {
        let ends = [estimate.interval.lower * sign, estimate.interval.upper * sign]
        return .estimate(
            Estimate(
                value: estimate.estimate * sign, low: ends.min()!, high: ends.max()!, sampleCount: estimate.blocks,
                coverage: estimate.interval.coverage))
    }

    /// Two halves of a scheme's windows: do their intervals overlap?
    private func halves(_ model: String, _ own: [SchemeSeries]) -> [ReportTable.Cell] {
        let names: [ReportTable.Cell] = [
            .text(model), .text("one scheme twice: its intervals overlap"), .text(Self.repeated), .text(Self.repeated),
        ]
        let windows = own.first { $0.scheme == Self.repeated }?.windows ?? []
        func half(_ remainder: Int) -> BootstrapEstimate? {
            let part = windows.filter { $0.draw % 2 == remainder }
            return Statistics.bootstrap(groups: [part.count], plan: .init()) { drawn in
                guard part.count >= Self.leastWindows else { return .nan }
            let tokens = drawn[0].reduce(0) { $0 + part[$1].tokens }
                return drawn[0].reduce(0) { $0 + part[$1].kldSum } / Double(tokens)
            }
        }
        guard let a = half(0), let b = half(1) else {
            let missing = [ReportTable.Cell](repeating: .missing("a half has fewer than \(Self.leastWindows) windows of it in this run"), count: 5)
            return names + missing + [.text("not measured")]
        }
        let overlap = a.interval.lower <= b.interval.upper && b.interval.lower <= a.interval.upper
        return names + [
            .number(a.estimate), .number(b.estimate), .number(b.estimate - a.estimate), .count(windows.count),
            .missing("decided by the intervals of the two halves"), .text(overlap ? "came out" : "they do not overlap"),
        ]
    }
}
