import Results

/// Decode steps while another agent's cache is saved, against the same with nothing saved. No paper has it.
struct TableSaving: TableDefinition {
    let id = "saving"
    let title = "Decode steps beside saves"
    let needs = ["saving"]

    /// What saving may cost a decode step.
    private static let bound = 1.1

    func build(_ input: ReportInput) throws -> [ReportTable] {
        guard let table = input.results.table("saving") else { return [] }
        let (median, p95) = (try table.requiredDoubles("decode_step_seconds"), try table.requiredDoubles("p95_step_seconds"))
        let (longest, saves) = (try table.requiredDoubles("longest_step_seconds"), try table.requiredInts("saves"))
        let samples = try TurnSample.all(in: table).enumerated().map { row, turn in
            Sample(turn: turn, median: median[row], p95: p95[row], longest: longest[row], saves: saves[row])
        }
        return try input.turnBlocks("saving").map { block in
            let own = samples.filter { block.turns.contains($0.turn) }
            let rows = Set(own.map(\.turn.contextTokens)).sorted().map { context in
                row(own.filter { $0.turn.contextTokens == context })
            }
            return ReportTable(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) An agent decodes while another of the same context takes one turn after \
                    another; in one of two runs of a pass its turns are saved beside the steps, each save as soon as the one \
                    before has ended; the last two may end after the decoder. Medians over n passes with \
                    their non-parametric intervals; ratios are saving ÷ not saving within the same pass. Saving is meant \
                    to cost a decode step at most a tenth: the bound holds where the whole interval of the ratio of \
                    medians is at most \(NumberText.exact(Self.bound)). \(input.provenance(block.turns.hardware))
                    """,
                columns: Self.columns, rows: rows, notes: Estimate.coverageNote(rows.joined().compactMap(\.estimate)))
        }
    }

    private struct Sample {
        var turn: TurnSample
        /// Of the times between two tokens, in seconds.
        var median: Double
        var p95: Double
        var longest: Double
        var saves: Int
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Decode step, not saving", key: "step_alone_s", .seconds, unitGroup: "step", hasInterval: true),
        .init("Decode step, saving", key: "step_saving_s", .seconds, unitGroup: "step", hasInterval: true),
        .init("n", key: "n", .count),
        .init("Saves in a run", key: "saves", .count),
        .init("Ratio of medians", key: "median_ratio", .factor, hasInterval: true),
        .init("Ratio of p95", key: "p95_ratio", .factor, hasInterval: true),
        .init("Ratio of longest", key: "longest_ratio", .factor, hasInterval: true),
        .init("Bound of 1.1", key: "bound", .text),
    ]

    private func row(_ samples: [Sample]) -> [ReportTable.Cell] {
        func perPass(_ mode: String) -> [Int: Sample] {
            let own = samples.filter { $0.turn.mode == mode }
            return Dictionary(own.map { ($0.turn.pass, $0) }, uniquingKeysWith: { first, _ in first })
        }
        let (saving, alone) = (perPass("saving"), perPass("not saving"))
        let passes = Set(saving.keys).intersection(alone.keys).sorted()
        let context = ReportTable.Cell.text(NumberText.context(samples[0].turn.contextTokens))
        guard !passes.isEmpty else {
            return [context] + Array(repeating: .missing("no pass has both runs"), count: Self.columns.count - 1)
        }
        func ratio(_ path: KeyPath<Sample, Double>) -> Estimate {
            Estimate(passes.map { saving[$0]![keyPath: path] / alone[$0]![keyPath: path] })
        }
        let medians = ratio(\.median)
        return [
            context, .estimate(Estimate(passes.map { alone[$0]!.median })),
            .estimate(Estimate(passes.map { saving[$0]!.median })), .count(passes.count),
            .number(Estimate(passes.map { Double(saving[$0]!.saves) }).value), .estimate(medians), .estimate(ratio(\.p95)),
            .estimate(ratio(\.longest)), .text(medians.high <= Self.bound ? "holds" : "does not hold"),
        ]
    }
}
