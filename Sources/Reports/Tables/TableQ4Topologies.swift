import Results

/// Bytes moved and time to an answer among several agents, by topology and by what is handed over. One table per shape. No
/// paper has it.
struct TableQ4Topologies: TableDefinition {
    let id = "Q4"
    let title = "Q4. Handoffs among several agents"
    let needs = ["topologies"]

    /// An answer: a row of the results table `topologies`.
    private struct Answer {
        var pass: Int
        var shape: String
        var topology: String
        var scheme: String
        var way: String
        var handoffs: Int
        var movedTokens: Int
        var movedBytes: Int
        var seconds: Double
        /// Agents, tokens of each one's part, tokens of a prompt and of a turn, threads.
        var setting: [Int]
        var weights: String
        var isa: String

        var isPrefill: Bool { way == "prefill" }
        var label: String { isPrefill ? "computed again" : "\(scheme) card" }
    }

    func build(_ input: ReportInput) throws -> [ReportTable] {
        guard let table = input.results.table("topologies") else { return [] }
        let answers = try Self.answers(table)
        return orderedSet(answers.map(\.shape)).map { shape in
            let own = answers.filter { $0.shape == shape }
            var rows: [[ReportTable.Cell]] = []
            for topology in ["chain", "star", "debate", "tree"] {
                let of = own.filter { $0.topology == topology }
                // Computed again, then the cards, smallest first.
                let sorted = of.sorted { ($0.isPrefill ? 0 : 1, $0.movedBytes) < ($1.isPrefill ? 0 : 1, $1.movedBytes) }
                for label in orderedSet(sorted.map(\.label)) { rows.append(row(of.filter { $0.label == label }, among: of)) }
            }
            let ways = orderedSet(own.filter { !$0.isPrefill }.map(\.way)).joined(separator: " or ")
            let setting = own[0].setting
            return ReportTable(
                id: "\(id)-\(fileName(shape))", title: "\(title): \(shape)",
                caption: """
                    Shape \(shape); weights \(own[0].weights). \(setting[0]) agents hold \(setting[1]) tokens each, which are \
                    synthetic. Whoever gets something computes a prompt of \(setting[2]) tokens and says \(setting[3]); then \
                    it hands on all it holds. Chain: each to the next; star: all to one; debate: each to each other; tree: \
                    two to one, up to the first. Cards go through \(ways). Agents share the machine: time is that of all of \
                    them, one after another, until the last one has answered; medians over n passes with their \
                    non-parametric intervals, ratios within a pass. Computed again is the text, by each who gets it: its \
                    bytes are four for each token. \(input.provenance("\(setting[4]) thread\(setting[4] == 1 ? "" : "s"), \(own[0].isa)"))
                    """,
                columns: Self.columns, rows: rows, notes: Estimate.coverageNote(rows.joined().compactMap(\.estimate)))
        }
    }

    private static func answers(_ table: ResultTable) throws -> [Answer] {
        let text = { try table.requiredStrings($0) }
        let whole = { try table.requiredInts($0) }
        let (shape, topology, scheme) = (try text("shape"), try text("topology"), try text("scheme"))
        let (way, weights, isa) = (try text("way"), try text("weights"), try text("isa"))
        let (pass, handoffs) = (try whole("pass"), try whole("handoffs"))
        let (tokens, bytes) = (try whole("moved_tokens"), try whole("moved_bytes"))
        let setting = try ["agents", "part_tokens", "new_tokens", "output_tokens", "threads"].map(whole)
        let seconds = try table.requiredDoubles("answer_seconds")
        return (0..<table.rowCount).map { row in
            Answer(
                pass: pass[row], shape: shape[row], topology: topology[row], scheme: scheme[row], way: way[row],
                handoffs: handoffs[row], movedTokens: tokens[row], movedBytes: bytes[row], seconds: seconds[row],
                setting: setting.map { $0[row] }, weights: weights[row], isa: isa[row])
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Topology", key: "topology", .text),
        .init("Handed over", key: "way", .text),
        .init("Handoffs", key: "handoffs", .count),
        .init("Tokens moved", key: "moved_tokens", .count),
        .init("Bytes moved", key: "moved_bytes", .bytes),
        .init("Time to answer", key: "answer_s", .seconds, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Computed again ÷ time", key: "ratio_prefill", .factor, hasInterval: true),
        .init("FP16 card ÷ time", key: "ratio_fp16", .factor, hasInterval: true),
    ]

    private func row(_ own: [Answer], among all: [Answer]) -> [ReportTable.Cell] {
        func ratio(_ isAbove: (Answer) -> Bool, _ what: String) -> ReportTable.Cell {
            guard !own.contains(where: isAbove) else { return .missing("it is \(what)") }
            let ratios = own.compactMap { answer in
                all.first { isAbove($0) && $0.pass == answer.pass }.map { $0.seconds / answer.seconds }
            }
            return ratios.isEmpty ? .missing("no pass has \(what)") : .estimate(Estimate(ratios))
        }
        return [
            .text(own[0].topology), .text(own[0].label), .count(own[0].handoffs), .count(own[0].movedTokens),
            .count(own[0].movedBytes), .estimate(Estimate(own.map(\.seconds))), .count(own.count),
            ratio({ $0.isPrefill }, "the text computed again"), ratio({ !$0.isPrefill && $0.scheme == "fp16" }, "the FP16 card"),
        ]
    }
}
