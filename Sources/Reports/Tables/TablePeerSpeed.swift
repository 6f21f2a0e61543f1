/// Speed beside llama.cpp: every cache here over every cache there, and the ratios that were aimed at.
struct TablePeerSpeed: TableDefinition {
    let id = "S2"
    let title = "Speed. Prefill and decode beside llama.cpp"
    let needs = ["peer_speed"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let tests = try PeerSpeed.all(input.results.table("peer_speed")!, targets: input.results.table("peer_targets"))
        let rows = tests.flatMap { test in pairs(test).map { row(test, $0.of, $0.over) } }
        let hardware = orderedSet(tests.map { "\($0.threads) threads, \($0.isa)" }).joined(separator: "; ")
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    The same Q4_0 file, synthetic weights, the same threads; contenders in turns, in random order within a \
                    pass. Tokens per second: median over the passes and its interval; ratio: within a pass, its median and \
                    interval over the passes. Met: the median of the ratio is at least the target, which stood in the \
                    experiment's file before the run. \(input.provenance(hardware))
                    """,
                columns: Self.columns, rows: rows, notes: notes(tests))
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Shape", key: "shape", .text),
        .init("Layers", key: "layers", .count),
        .init("Work", key: "work", .text),
        .init("Cache", key: "of", .text),
        .init("tokens/s", key: "of_tokens_per_second", .plain, hasInterval: true),
        .init("Beside", key: "over", .text),
        .init("tokens/s", key: "over_tokens_per_second", .plain, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Ratio", key: "ratio", .factor, hasInterval: true),
        .init("Target", key: "target", .factor),
        .init("Verdict", key: "verdict", .text),
    ]

    /// kvlab over every peer, and whatever else is aimed at.
    private func pairs(_ test: PeerSpeed) -> [(of: PeerSpeed.Contender, over: PeerSpeed.Contender)] {
        let own = test.contenders.filter { $0.program == "kvlab" }
        let peers = test.contenders.filter { $0.program != "kvlab" }
        let extra = test.targets.compactMap { target -> (of: PeerSpeed.Contender, over: PeerSpeed.Contender)? in
            guard let of = own.first(where: { $0.name == target.of }), let over = own.first(where: { $0.name == target.over })
            else { return nil }
            return (of, over)
        }
        return own.flatMap { of in peers.map { (of, $0) } } + extra
    }

    private func row(_ test: PeerSpeed, _ of: PeerSpeed.Contender, _ over: PeerSpeed.Contender) -> [ReportTable.Cell] {
        let target = test.targets.first { $0.of == of.name && $0.over == over.name }
        let ratios = test.ratios(of: of, over: over)
        let absence = [of, over].compactMap { $0.samples.isEmpty ? $0.failures.first.map(Self.words) : nil }.first
            ?? "the two have no pass in common"
        let verdict: ReportTable.Cell =
            switch (target, ratios.isEmpty) {
            case (nil, _): .text("")
            case (_, true): .missing(absence)
            case (let target?, false): .text(Estimate(ratios).value >= target.atLeast ? "met" : "missed")
            }
        return [
            .text(test.shape), .count(test.layers), .text(test.work), .text(of.name), speed(of), .text(over.name), speed(over),
            .count(ratios.count), ratios.isEmpty ? .missing(absence) : .estimate(Estimate(ratios)),
            target.map { .number($0.atLeast) } ?? .text(""), verdict,
        ]
    }

    private func speed(_ contender: PeerSpeed.Contender) -> ReportTable.Cell {
        contender.samples.isEmpty
            ? .missing(contender.failures.first.map(Self.words) ?? "it was not run")
            : .estimate(Estimate(Array(contender.samples.values)))
    }

    private static func words(_ failure: String) -> String { "it gave no number: \(failure)" }

    private func notes(_ tests: [PeerSpeed]) -> [String] {
        let estimates = tests.flatMap { test in
            pairs(test).map { test.ratios(of: $0.of, over: $0.over) }.filter { !$0.isEmpty }.map(Estimate.init)
        }
        return Estimate.coverageNote(estimates)
    }
}
