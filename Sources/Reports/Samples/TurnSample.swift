import Results

/// One turn of an agent that was served among others: a row of the results tables `batched`, `staggered`, `thrash`,
/// `phases` and `routing`. Times are in seconds.
struct TurnSample: Equatable {
    var cell: String
    var pass: Int
    var order: Int
    var shape: String
    var paperModel: String
    var weights: String
    var scheme: String
    var mode: String
    var state: String
    var contextTokens: Int
    var batch: Int
    var agent: String
    var source: String
    var promptTokens: Int
    var hitTokens: Int
    var outputTokens: Int
    /// From the start of the run to submitting, and from there to the first step; NaN in files that do not say it.
    var startSeconds: Double
    var queuedSeconds: Double
    var ttftSeconds: Double
    var totalSeconds: Double
    var loadSeconds: Double
    var exposedLoadSeconds: Double
    var wallSeconds: Double
    var bytesLoaded: Int
    var threads: Int
    var isa: String
    /// What the gate on generated text said; empty where there is none.
    var gate: String

    /// The rows of `table`.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(in table: ResultTable) throws -> [TurnSample] {
        let text = { try table.requiredStrings($0) }
        let whole = { try table.requiredInts($0) }
        let real = { try table.requiredDoubles($0) }
        let (cell, shape, paperModel) = (try text("cell"), try text("shape"), try text("paper_model"))
        let (weights, scheme, mode) = (try text("weights"), try text("scheme"), try text("mode"))
        let (state, agent, source) = (try text("state"), try text("agent"), try text("source"))
        let (pass, order, context) = (try whole("pass"), try whole("order"), try whole("context_tokens"))
        let prompt = try whole("prompt_tokens")
        let (batch, hit, output) = (try whole("batch"), try whole("hit_tokens"), try whole("output_tokens"))
        let (ttft, total, wall) = (try real("ttft_seconds"), try real("total_seconds"), try real("wall_seconds"))
        let (load, exposed) = (try real("load_seconds"), try real("exposed_load_seconds"))
        let (bytes, threads, isa) = (try whole("bytes_loaded"), try whole("threads"), try text("isa"))
        let unknown = [Double](repeating: .nan, count: table.rowCount)
        let (start, queued) = (table.doubles("start_seconds") ?? unknown, table.doubles("queued_seconds") ?? unknown)
        let gate = table.strings("gate")
        return (0..<table.rowCount).map { row in
            TurnSample(
                cell: cell[row], pass: pass[row], order: order[row], shape: shape[row], paperModel: paperModel[row],
                weights: weights[row], scheme: scheme[row], mode: mode[row], state: state[row],
                contextTokens: context[row], batch: batch[row], agent: agent[row], source: source[row],
                promptTokens: prompt[row], hitTokens: hit[row], outputTokens: output[row], startSeconds: start[row],
                queuedSeconds: queued[row], ttftSeconds: ttft[row], totalSeconds: total[row],
                loadSeconds: load[row], exposedLoadSeconds: exposed[row], wallSeconds: wall[row],
                bytesLoaded: bytes[row], threads: threads[row], isa: isa[row],
                gate: gate?[row] ?? "")
        }
    }
}

extension ReportInput {
    /// The turns of a results table; empty when the run has none.
    func turns(_ table: String) throws -> [TurnSample] {
        guard let table = results.table(table) else { return [] }
        return try TurnSample.all(in: table)
    }

    /// Turns by shape, weights and scheme, which one table is about, in the order in which they first occur.
    func turnBlocks(_ table: String, byScheme: Bool = true) throws -> [(title: String, id: String, turns: [TurnSample])] {
        let turns = try turns(table)
        func key(_ turn: TurnSample) -> [String] { [turn.shape, byScheme ? turn.scheme : ""] }
        let keys = orderedSet(turns.map(key))
        return keys.map { own in
            let isOnly = keys.count { $0[0] == own[0] } == 1
            let parts = isOnly ? [own[0]] : own
            return (parts.joined(separator: ", "), fileName(parts.joined(separator: "-")), turns.filter { key($0) == own })
        }
    }
}

extension [TurnSample] {
    /// What was run, in one sentence.
    var description: String {
        guard let first else { return "" }
        let stands = first.paperModel.isEmpty ? "" : ", which stands for \(PublishedModel.title(first.paperModel))"
        return "Shape \(first.shape)\(stands); weights \(first.weights); cache \(orderedSet(map(\.scheme)).joined(separator: ", "))."
    }

    /// "2 threads, avx512": as the rows have it.
    var hardware: String {
        let threads = Set(map(\.threads)).sorted().map(String.init).joined(separator: " or ")
        return "\(threads) thread\(threads == "1" ? "" : "s"), \(Set(map(\.isa)).sorted().joined(separator: " or "))"
    }

    /// The turns of each run, a run being what was measured at once, in the order of measuring.
    var runs: [[TurnSample]] {
        let groups = Dictionary(grouping: self) { [$0.cell, String($0.order)] }
        return groups.values.sorted { $0[0].order < $1[0].order }
    }
}
