import Results

/// A context that was handed over, or computed again: a row of the results table `handoff`. Times are in seconds, NaN where
/// a stage did not happen.
struct HandoffSample: Equatable {
    var pass: Int
    var shape: String
    var paperModel: String
    var weights: String
    var scheme: String
    /// "memory", "file", "unix", "tcp" or "prefill".
    var way: String
    var ownTokens: Int
    var contextTokens: Int
    var newTokens: Int
    var outputTokens: Int
    var cardBytes: Int
    var stageSeconds: [Stage: Double]
    var ttftSeconds: Double
    var generateSeconds: Double
    /// TTFT and the tokens after the first.
    var pathSeconds: Double
    var sameTokens: Bool?
    var threads: Int
    var isa: String

    var isPrefill: Bool { way == "prefill" }

    /// The parts of a TTFT, in the order in which they happen.
    enum Stage: String, CaseIterable {
        case make, write, transfer, read, verify, inject, forward
    }

    /// The rows of `table`.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(in table: ResultTable) throws -> [HandoffSample] {
        let text = { try table.requiredStrings($0) }
        let whole = { try table.requiredInts($0) }
        let real = { try table.requiredDoubles($0) }
        let (shape, paperModel, weights) = (try text("shape"), try text("paper_model"), try text("weights"))
        let (scheme, way, isa) = (try text("scheme"), try text("way"), try text("isa"))
        let (pass, own, context) = (try whole("pass"), try whole("own_tokens"), try whole("context_tokens"))
        let (new, output, bytes) = (try whole("new_tokens"), try whole("output_tokens"), try whole("card_bytes"))
        let (same, threads) = (try whole("same_tokens"), try whole("threads"))
        let (ttft, generate, path) = (try real("ttft_seconds"), try real("generate_seconds"), try real("path_seconds"))
        let stages = try Stage.allCases.map { ($0, try real("\($0.rawValue)_seconds")) }
        return (0..<table.rowCount).map { row in
            HandoffSample(
                pass: pass[row], shape: shape[row], paperModel: paperModel[row], weights: weights[row], scheme: scheme[row],
                way: way[row], ownTokens: own[row], contextTokens: context[row], newTokens: new[row],
                outputTokens: output[row], cardBytes: bytes[row],
                stageSeconds: Dictionary(uniqueKeysWithValues: stages.map { ($0, $1[row]) }), ttftSeconds: ttft[row],
                generateSeconds: generate[row], pathSeconds: path[row], sameTokens: same[row] < 0 ? nil : same[row] == 1, threads: threads[row],
                isa: isa[row])
        }
    }
}

/// The handoffs of one shape.
struct HandoffBlock {
    let samples: [HandoffSample]

    var shape: String { samples[0].shape }
    var contexts: [Int] { Set(samples.map(\.contextTokens)).sorted() }
    var ownTokens: [Int] { Set(samples.map(\.ownTokens)).sorted() }

    var description: String {
        let first = samples[0]
        let stands = first.paperModel.isEmpty ? "" : ", which stands for \(PublishedModel.title(first.paperModel))"
        return "Shape \(first.shape)\(stands); weights \(first.weights)."
    }

    var hardware: String {
        let threads = Set(samples.map(\.threads)).sorted().map(String.init).joined(separator: " or ")
        return "\(threads) thread\(threads == "1" ? "" : "s"), \(Set(samples.map(\.isa)).sorted().joined(separator: " or "))"
    }

    /// A way to have the context: what a row of the table, or a stack of the figure, is about.
    struct Way: Hashable {
        let scheme: String
        let way: String

        var label: String { way == "prefill" ? "prefill" : "\(scheme), \(way == "unix" ? "Unix socket" : way == "tcp" ? "TCP" : way)" }
    }

    /// The prefill, then the cards by scheme, as they were first met, and way.
    var ways: [Way] {
        let all = orderedSet(samples.map { Way(scheme: $0.scheme, way: $0.way) })
        let schemes = orderedSet(samples.map(\.scheme)).sorted()
        let order = ["prefill", "memory", "file", "unix", "tcp"]
        func rank(_ way: Way) -> (Int, Int, Int) {
            (way.way == "prefill" ? 0 : 1, schemes.firstIndex(of: way.scheme)!, order.firstIndex(of: way.way) ?? order.count)
        }
        return all.sorted { rank($0) < rank($1) }
    }

    func samples(_ way: Way, context: Int, own: Int) -> [HandoffSample] {
        samples.filter { $0.scheme == way.scheme && $0.way == way.way && $0.contextTokens == context && $0.ownTokens == own }
    }

    /// TTFT of the prefill ÷ TTFT, within each pass.
    func prefillRatios(_ way: Way, context: Int, own: Int) -> [Double] {
        ratios(way, to: samples.filter { $0.isPrefill && $0.contextTokens == context && $0.ownTokens == own }, context, own)
    }

    /// TTFT of a card of 16-bit floats that goes the same way ÷ TTFT, within each pass.
    func fullPrecisionRatios(_ way: Way, context: Int, own: Int) -> [Double] {
        ratios(way, to: samples(Way(scheme: "fp16", way: way.way), context: context, own: own), context, own)
    }

    private func ratios(_ way: Way, to above: [HandoffSample], _ context: Int, _ own: Int) -> [Double] {
        samples(way, context: context, own: own).compactMap { sample in
            above.first { $0.pass == sample.pass }.map { $0.ttftSeconds / sample.ttftSeconds }
        }
    }
}

extension ReportInput {
    /// The handoffs of the run by shape; empty when it has none.
    func handoffBlocks() throws -> [HandoffBlock] {
        guard let table = results.table("handoff") else { return [] }
        let samples = try HandoffSample.all(in: table)
        return orderedSet(samples.map(\.shape)).map { shape in HandoffBlock(samples: samples.filter { $0.shape == shape }) }
    }
}
