/// P1, Table 3: time to first token, cold, warm and hot, by context. One table per block.
///
/// Milliseconds of two machines are shown but not compared; what is compared is the speed-up over cold.
struct Table03TTFT: TableDefinition {
    let id = "T3"
    let title = "Table 3. Time to first token, cold, warm and hot"
    let needs = ["ttft"]

    /// The speed-up depends on how fast a machine computes and how fast it reads, so half of the published one counts.
    static let rule = VerdictRule.atLeast(share: 0.5)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try PublishedTTFT(input.published)
        let blocks = try input.ttftBlocks()
        let present = Set(blocks.map(\.key.paperModel))
        let absent = published.models.filter { !present.contains($0) }.map(PublishedModel.title)
        return blocks.enumerated().map { index, block in
            var notes = block.sameTokensNotes + block.failureNotes
            if index == blocks.count - 1, !absent.isEmpty {
                notes.append("Published, but not in this run: \(absent.joined(separator: ", ")).")
            }
            return table(block, published, notes, input)
        }
    }

    private func table(
        _ block: TTFTBlock, _ published: PublishedTTFT, _ notes: [String], _ input: ReportInput
    ) -> ReportTable {
        let comparison = TTFTComparison(block, published)
        let profile = input.results.run.profile
        var rows: [(nominal: Int, cells: [ReportTable.Cell])] = []
        for context in block.contexts {
            let cold = block.cold(context)
            for state in block.states where !block[context, state].isEmpty {
                rows.append(
                    (
                        TTFTBlock.nominal(context),
                        measured(block[context, state], state, context, cold, comparison, Self.diskRate(input))
                    ))
            }
        }
        let measuredContexts = Set(rows.map(\.nominal))
        for context in comparison.publishedContexts where !measuredContexts.contains(context) {
            for state in ["cold", "warm", "hot"] where published.ttft(block.key.paperModel, state, context) != nil {
                rows.append((context, absent(state, context, comparison, "not in this run (profile \(profile))")))
            }
        }
        let ordered = rows.enumerated().sorted { ($0.element.nominal, $0.offset) < ($1.element.nominal, $1.offset) }
        return ReportTable(
            id: "\(id)-\(block.id)", title: "\(title): \(block.title)", caption: caption(block, input),
            columns: Self.columns, rows: ordered.map(\.element.cells),
            notes: Estimate.coverageNote(rows.flatMap(\.cells).compactMap(\.estimate)) + notes)
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("State", key: "state", .text),
        .init("Cached / prompt tokens", key: "cached_of_prompt_tokens", .text, alignment: .right),
        .init("TTFT, paper", key: "ttft_paper_s", .seconds),
        .init("TTFT, here", key: "ttft_here_s", .seconds, hasInterval: true),
        .init("n", key: "n", .count),
        .init("÷ decode step", key: "ttft_per_decode_step", .factor),
        .init("÷ bound", key: "ttft_per_bound", .factor, hasInterval: true),
        .init("Speed-up, paper", key: "speedup_paper", .factor),
        .init("Speed-up, here", key: "speedup_here", .factor, hasInterval: true),
        .init("Here ÷ paper", key: "speedup_ratio", .plain),
        .init("Verdict", key: "verdict", .text),
        .init("Coverage", key: "interval_coverage", .plain, isDetail: true),
        .init("Context tokens", key: "context_tokens", .count, isDetail: true),
        .init("Hit tokens", key: "hit_tokens", .count, isDetail: true),
        .init("New tokens", key: "new_tokens", .count, isDetail: true),
        .init("Cache bytes", key: "cache_bytes", .bytes, isDetail: true),
        .init("File bytes", key: "file_bytes", .bytes, isDetail: true),
        .init("Bytes read", key: "bytes_read", .bytes, isDetail: true),
        .init("Bytes written", key: "bytes_written", .bytes, isDetail: true),
        .init("Peak RSS", key: "peak_rss_bytes", .bytes, isDetail: true),
    ]

    private func measured(
        _ samples: [TTFTSample], _ state: CacheState, _ context: Int, _ cold: [TTFTSample],
        _ comparison: TTFTComparison, _ diskRate: Double?
    ) -> [ReportTable.Cell] {
        let nominal = TTFTBlock.nominal(context)
        let paper = comparison.ttft(state, nominal)
        let ttft = Estimate(samples.map(\.ttftSeconds))
        let steps = samples.map { $0.ttftSeconds / $0.decodeStepSeconds }.filter(\.isFinite)
        let typical = { (path: KeyPath<TTFTSample, Int>) in Estimate(samples.map { Double($0[keyPath: path]) }).value }
        var cells: [ReportTable.Cell] = [
            .text(NumberText.context(nominal)), .text(state.label),
            .text(
                "\(NumberText.fixed(typical(\.hitTokens), decimals: 0)) / "
                    + NumberText.fixed(typical(\.contextTokens), decimals: 0)),
            paper.cell, .estimate(ttft), .count(ttft.sampleCount),
            steps.isEmpty ? .missing("no decode step was timed") : .number(Estimate(steps).value),
            Self.share(ofBound: samples, state, diskRate),
        ]
        cells += speedUp(samples, state, nominal, cold, comparison)
        cells += [.number(ttft.coverage)]
        let details: [KeyPath<TTFTSample, Int>] = [
            \.contextTokens, \.hitTokens, \.newTokens, \.cacheBytes, \.fileBytes, \.bytesRead, \.bytesWritten,
            \.peakRSSBytes,
        ]
        return cells + details.map { .number(typical($0)) }
    }

    /// Bytes per second from the disk that holds the caches; nil where it was not measured, or the page cache was.
    private static func diskRate(_ input: ReportInput) -> Double? {
        guard ["dropped", "bypassed"].contains(input.machineText("disk_read_cache")) else { return nil }
        return input.machineNumber("disk_read_bytes_per_second")
    }

    /// TTFT ÷ what a warm request that computes one token may take: 1.3 decode steps, and where pages were dropped 1.2
    /// times as long as the disk takes for the file.
    private static func share(ofBound samples: [TTFTSample], _ state: CacheState, _ diskRate: Double?) -> ReportTable.Cell {
        guard state.kind == "warm exact" else { return .missing("the bound is of warm requests for the same prompt") }
        let isResident = state.pageCache == "resident"
        guard isResident || diskRate != nil else { return .missing("the disk's read rate was not measured") }
        let shares = samples.map { sample in
            let disk = isResident ? 0 : Double(sample.fileBytes) / (diskRate ?? .nan) * 1.2
            return sample.ttftSeconds / (1.3 * sample.decodeStepSeconds + disk)
        }
        return shares.allSatisfy(\.isFinite) ? .estimate(Estimate(shares)) : .missing("no decode step was timed")
    }

    /// Paper, here, ratio, verdict.
    private func speedUp(
        _ samples: [TTFTSample], _ state: CacheState, _ nominal: Int, _ cold: [TTFTSample],
        _ comparison: TTFTComparison
    ) -> [ReportTable.Cell] {
        guard state.name != "cold" else {
            return Array(repeating: .missing("cold is what the speed-up is measured against"), count: 4)
        }
        let paper = comparison.speedUp(state, nominal)
        let ratios = TTFTBlock.ratios(cold, to: samples)
        guard !ratios.isEmpty else {
            let reason = "no pass has both this state and cold"
            return [paper.cell, .missing(reason), .missing(reason), .verdict(.notRunnable(reason: reason))]
        }
        let here = Estimate(ratios)
        switch paper {
        case .success(let value):
            return [
                paper.cell, .estimate(here), .number(here.value / value),
                .verdict(Self.rule.decide(published: value, here: here)),
            ]
        case .failure(let absence):
            return [paper.cell, .estimate(here), .missing(absence.reason), .missing(absence.reason)]
        }
    }

    /// A row that the paper has and this run has not.
    private func absent(
        _ state: String, _ context: Int, _ comparison: TTFTComparison, _ reason: String
    ) -> [ReportTable.Cell] {
        let stands = CacheState(name: state, variant: state == "hot" ? "extend" : "exact", pageCache: "none")
        let gap = ReportTable.Cell.missing(reason)
        let speedUp =
            state == "cold"
            ? ReportTable.Cell.missing("cold is what the speed-up is measured against")
            : comparison.speedUp(stands, context).cell
        let head: [ReportTable.Cell] = [.text(NumberText.context(context)), .text(state), gap]
        let middle = [comparison.ttft(stands, context).cell, gap, gap, gap, gap, speedUp, gap, gap]
        let verdict = ReportTable.Cell.verdict(.notRunnable(reason: reason))
        return head + middle + [verdict] + Array(repeating: gap, count: Self.columns.count - 12)
    }

    private func caption(_ block: TTFTBlock, _ input: ReportInput) -> String {
        let rule = Self.rule.statement(of: "the whole interval of the speed-up here")
        return """
            \(block.description) TTFT is the median over n passes with its non-parametric interval; the speed-up is \
            cold TTFT ÷ TTFT within the same pass, its median and interval over the passes. "÷ decode step" is TTFT as \
            a multiple of one decode step at the same depth: 1 is the limit. "÷ bound" is TTFT ÷ (1.3 decode steps, and \
            where pages were dropped 1.2 × the file's bytes ÷ the disk's measured read rate): at most 1 is aimed at. \
            Paper: P1, Table 3, on an Apple M4 Pro; \
            seconds of two machines are not compared. Reproduced: \(rule). \(input.provenance(block.hardware))
            """
    }
}
