/// P2: time to first token when a context is handed over, against computing it again. One table per shape.
struct TableQ1Handoff: TableDefinition {
    let id = "Q1"
    let title = "Q1. Time to first token of a handoff"
    let needs = ["handoff"]

    /// The paper's ratio of full prefill and handoff is to be reached in whole.
    static let rule = VerdictRule.atLeast(share: 1)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try publishedRatios(input)
        return try input.handoffBlocks().map { block in
            var rows: [[ReportTable.Cell]] = []
            for context in block.contexts {
                for own in block.ownTokens {
                    for way in block.ways where !block.samples(way, context: context, own: own).isEmpty {
                        rows.append(row(block, way, context, own, published))
                    }
                }
            }
            return ReportTable(
                id: "\(id)-\(fileName(block.shape))", title: "\(title): \(block.shape)", caption: caption(block, input),
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.joined().compactMap(\.estimate)) + againstFullPrecision(block) + sameTokens(block))
        }
    }

    /// Full prefill ÷ handoff, by model and context.
    private func publishedRatios(_ input: ReportInput) throws -> [String: [Int: Double]] {
        let table = try input.published.table("qkvshare_ttft")
        var ratios: [String: [Int: Double]] = [:]
        for row in 0..<table.rowCount {
            // The paper's Llama-3.1-8B-Instruct is the model that P1 calls llama3.1-8b.
            guard try table.text(row, "model").hasPrefix("Llama-3.1-8B") else { continue }
            let handoff = try table.number(row, "qkvshare_ms")
            ratios["llama3.1-8b", default: [:]][try table.integer(row, "context")] =
                try table.number(row, "full_reprefill_ms") / handoff
        }
        return ratios
    }

    private static let columns: [ReportTable.Column] = {
        var columns: [ReportTable.Column] = [
            .init("Context", key: "context", .text, alignment: .right),
            .init("Receiver's own tokens", key: "own_tokens", .count),
            .init("Way", key: "way", .text),
            .init("Card", key: "card_bytes", .bytes),
            .init("TTFT", key: "ttft_s", .seconds, unitGroup: "ttft", hasInterval: true),
            .init("n", key: "n", .count),
            .init("Making the card ÷ path", key: "make_share", .share),
            .init("FP16 card ÷ TTFT", key: "ratio_fp16", .factor, hasInterval: true),
            .init("Prefill ÷ TTFT, paper", key: "ratio_paper", .factor),
            .init("Prefill ÷ TTFT, here", key: "ratio_here", .factor, hasInterval: true),
            .init("Here ÷ paper", key: "ratio", .plain),
            .init("Verdict", key: "verdict", .text),
        ]
        for stage in HandoffSample.Stage.allCases.map(\.rawValue) + ["generate"] {
            columns.append(.init(stage, key: "\(stage)_s", .seconds, isDetail: true))
        }
        return columns
    }()

    private func row(
        _ block: HandoffBlock, _ way: HandoffBlock.Way, _ context: Int, _ own: Int, _ published: [String: [Int: Double]]
    ) -> [ReportTable.Cell] {
        let samples = block.samples(way, context: context, own: own)
        let isPrefill = samples[0].isPrefill
        let none = ReportTable.Cell.missing("prefill is what cards are held against")
        var cells: [ReportTable.Cell] = [
            .text(NumberText.context(TTFTBlock.nominal(context))), .count(own), .text(way.label),
            isPrefill ? none : .count(samples[0].cardBytes), .estimate(Estimate(samples.map(\.ttftSeconds))), .count(samples.count),
            isPrefill ? none : .number(Estimate(samples.map { $0.stageSeconds[.make]! / $0.pathSeconds }).value),
            isPrefill ? none : fullPrecision(block, way, context, own),
        ]
        if isPrefill {
            cells += Array(repeating: none, count: 4)
        } else {
            cells += comparison(block, way, context, own, published)
        }
        for stage in HandoffSample.Stage.allCases {
            let seconds = samples.compactMap { $0.stageSeconds[stage] }.filter(\.isFinite)
            cells.append(seconds.isEmpty ? .missing("this way has no such stage") : .number(Estimate(seconds).value))
        }
        return cells + [.number(Estimate(samples.map(\.generateSeconds)).value)]
    }

    private func fullPrecision(_ block: HandoffBlock, _ way: HandoffBlock.Way, _ context: Int, _ own: Int) -> ReportTable.Cell {
        guard way.scheme != "fp16" else { return .missing("it is the FP16 card") }
        let ratios = block.fullPrecisionRatios(way, context: context, own: own)
        return ratios.isEmpty ? .missing("no pass has an FP16 card that went this way") : .estimate(Estimate(ratios))
    }

    /// Paper, here, ratio, verdict.
    private func comparison(
        _ block: HandoffBlock, _ way: HandoffBlock.Way, _ context: Int, _ own: Int, _ published: [String: [Int: Double]]
    ) -> [ReportTable.Cell] {
        let ratios = block.prefillRatios(way, context: context, own: own)
        guard !ratios.isEmpty else {
            return Array(repeating: .missing("no pass has both this way and a prefill"), count: 4)
        }
        let here = Estimate(ratios)
        guard way.scheme == PublishedModel.scheme else {
            let reason = ReportTable.Cell.missing("the paper has quantized cards only")
            return [reason, .estimate(here), reason, reason]
        }
        guard let paper = published[block.samples[0].paperModel]?[context] else {
            let reason = ReportTable.Cell.missing("the paper has Llama 3.1 8B at 1K and 8K only")
            return [reason, .estimate(here), reason, reason]
        }
        return [
            .number(paper), .estimate(here), .number(here.value / paper),
            .verdict(Self.rule.decide(published: paper, here: here)),
        ]
    }

    private func caption(_ block: HandoffBlock, _ input: ReportInput) -> String {
        """
        \(block.description) TTFT is the median over n passes with its non-parametric interval, and the sum of all stages: \
        making the card, writing and reading the file or the transfer from another process, seal and digests, rows into the \
        receiver's cache, and the forward pass over \(block.samples[0].newTokens) new tokens; the path is all of it and the \
        tokens after the first, \(block.samples[0].outputTokens) in all. With tokens of its own before them the receiver \
        turns the card's keys to other positions. Prefill computes context and new tokens; ratios are taken within a \
        pass. Of a shape with fewer layers the output layer is a larger part of every forward pass. Contexts are \
        synthetic. Paper: P2, on another machine: ratios are compared, seconds are not. \
        Reproduced: \(Self.rule.statement(of: "the whole interval of the ratio here")). \(input.provenance(block.hardware))
        """
    }

    /// In which rows whose bytes moved a quantized card was not the faster one.
    private func againstFullPrecision(_ block: HandoffBlock) -> [String] {
        var slower: [String] = []
        var count = 0
        for context in block.contexts {
            for own in block.ownTokens {
                for way in block.ways where way.scheme != "fp16" && ["file", "unix", "tcp"].contains(way.way) {
                    let ratios = block.fullPrecisionRatios(way, context: context, own: own)
                    guard !ratios.isEmpty else { continue }
                    count += 1
                    if Estimate(ratios).low <= 1 {
                        slower.append("\(NumberText.context(TTFTBlock.nominal(context))) after \(own) tokens, \(way.label)")
                    }
                }
            }
        }
        guard count > 0 else { return [] }
        return [
            "Where bytes moved through a file or a socket, the whole interval of FP16 card ÷ TTFT is above 1 in "
                + "\(count - slower.count) of \(count) rows" + (slower.isEmpty ? "." : "; not in \(slower.joined(separator: "; ")).")
        ]
    }

    /// Whether what came over a card is what the sender would have said.
    private func sameTokens(_ block: HandoffBlock) -> [String] {
        let compared = block.samples.compactMap(\.sameTokens)
        guard !compared.isEmpty else { return [] }
        let same = compared.count { $0 }
        return [
            "Tokens generated from a card that stayed where it was equal those of the sender's own cache in \(same) of "
                + "\(compared.count) handoffs."
        ]
    }
}
