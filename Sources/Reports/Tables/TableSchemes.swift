import Results

/// Cache schemes side by side: bytes, predictions, answers and speed, one table for each model, sorted by bits.
struct TableSchemes: TableDefinition {
    let id = "schemes"
    let title = "Cache schemes side by side"
    let needs = ["schemes"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let series = try SchemeSeries.all(input.results)
        return orderedSet(series.map(\.model)).flatMap { model -> [ReportTable] in
            let own = series.filter { $0.model == model }.sorted { ($0.bits ?? 99, $0.scheme) < ($1.bits ?? 99, $1.scheme) }
            return [side(own, model, input), answers(own, model, input), pairs(own, model, input)].compactMap { $0 }
        }
    }

    // MARK: Side by side

    private func side(_ own: [SchemeSeries], _ model: String, _ input: ReportInput) -> ReportTable {
        let p = pValues(own) { _ in true }
        let floor = own.first(where: \.isBase)?.mean?.interval.upper
        let measured = own.first { $0.divergence != nil }?.divergence
        let text = measured.map {
            """
            Windows of \($0.windowTokens) tokens, each from an empty cache, the last \($0.strideTokens) of each count, in one \
            random order; every position reads what the cache stores. KLD in nats against \($0.baseScheme), reference \
            arithmetic; brackets: 95 % by drawing whole windows, SE likewise. 
            """
        } ?? ""
        return ReportTable(
            id: "\(id)-\(model)", title: "\(title): \(model)",
            caption: """
                \(text)Bits: what the cache holds in memory over its elements, rows that wait in \
                16-bit floats among them; encoded: those of an encoded row. Answers: Wilson, 95 %; p: exact McNemar against \
                \(own[0].baseScheme) on the same answers, Holm's correction over \(p.count). \(speed(own)) \
                Weights \(own[0].weights). \(input.provenance())
                """,
            columns: Self.columns, rows: own.map { row($0, floor, p[$0.scheme]) }, notes: notes(own))
    }

    private func speed(_ own: [SchemeSeries]) -> String {
        guard let depth = own.compactMap(\.depth).first else { return "Speed was not measured." }
        return """
            Rows are stored and read by one thread; tokens/s: decode after \(NumberText.context(depth)) tokens, fast \
            arithmetic; medians of passes in random order.
            """
    }

    private static let columns: [ReportTable.Column] = [
        .init("Cache", key: "scheme", .text),
        .init("Bits", key: "bits", .plain),
        .init("Encoded", key: "encoded_bits", .plain),
        .init("Bytes/token", key: "bytes_per_token", .count),
        .init("In the file", key: "file_bytes_per_token", .count, isDetail: true),
        .init("KLD, mean", key: "kld_mean", .plain, hasInterval: true),
        .init("± SE", key: "kld_se", .plain),
        .init("p50", key: "kld_p50", .plain, isDetail: true),
        .init("p90", key: "kld_p90", .plain, isDetail: true),
        .init("p95", key: "kld_p95", .plain, isDetail: true),
        .init("p99", key: "kld_p99", .plain),
        .init("p99.9", key: "kld_p999", .plain, isDetail: true),
        .init("max", key: "kld_max", .plain, isDetail: true),
        .init("Same top token", key: "top1", .share),
        .init("ln(PPL ÷ base)", key: "ln_ppl_ratio", .plain),
        .init("± SE", key: "ln_ppl_ratio_se", .plain),
        .init("Right answers", key: "right", .share, hasInterval: true),
        .init("p", key: "p_holm", .plain),
        .init("Encode (M/s)", key: "encode_elements_per_us", .plain),
        .init("Decode (M/s)", key: "decode_elements_per_us", .plain),
        .init("Tokens/s", key: "tokens_per_second", .plain),
        .init("Noise floor", key: "floor", .text),
        .init("Restored, Δlogit", key: "restored_difference", .plain),
        .init("Windows", key: "windows", .count),
        .init("Stopped by", key: "stopped_by", .text),
    ]

    private func row(_ series: SchemeSeries, _ floor: Double?, _ p: Double?) -> [ReportTable.Cell] {
        let reason = series.problem.isEmpty ? "nothing was measured" : "\(series.scheme): \(series.problem)"
        let perToken = { (bytes: Int) in
            series.tokens > 0 ? ReportTable.Cell.number(Double(bytes) / Double(series.tokens)) : .missing(reason)
        }
        return [
            .text(series.isBase ? "\(series.scheme) (noise floor: \(series.divergence?.compute ?? "?") arithmetic)" : series.scheme),
            series.bits.map(ReportTable.Cell.number) ?? .missing(reason),
            series.bits == nil ? .missing(reason) : series.encodedBits.map(ReportTable.Cell.number) ?? .missing("this run does not say"),
            perToken(series.storedBytes), perToken(series.fileBytes),
        ] + divergence(series, reason) + [
            right(Array(series.answers.values), reason),
            series.isBase ? .missing("what the others are compared with") : p.map(ReportTable.Cell.number) ?? .missing(reason),
            rate(series.encodeRates, 1e-6, reason), rate(series.decodeRates, 1e-6, reason), rate(series.tokenRates, 1, reason),
            against(floor, series, reason),
            series.divergence?.restoredDifference.map(ReportTable.Cell.number) ?? .missing(reason),
            series.divergence == nil ? .missing(reason) : .count(series.windows.count),
            series.divergence == nil ? .missing(reason) : .text(series.stoppedBy),
        ]
    }

    private func divergence(_ series: SchemeSeries, _ reason: String) -> [ReportTable.Cell] {
        guard let divergence = series.divergence, let mean = series.mean else {
            return [ReportTable.Cell](repeating: .missing(reason), count: 11)
        }
        let tails: [ReportTable.Cell] = [0.5, 0.9, 0.95, 0.99, 0.999].map { p in
            Statistics.tailQuantile(divergence.kld, p).map(ReportTable.Cell.number) ?? .missing("too few tokens for this tail")
        }
        let ratio = divergence.mean { $0.lossSum - $0.baseLossSum }
        return [cell(mean), .number(mean.standardError)] + tails + [
            .number(divergence.kld.max() ?? 0),
            .number(divergence.mean { Double($0.agreements) }?.estimate ?? .nan),
            .number(ratio?.estimate ?? .nan), .number(ratio?.standardError ?? .nan),
        ]
    }

    private func cell(_ estimate: BootstrapEstimate) -> ReportTable.Cell {
        .estimate(
            Estimate(
                value: estimate.estimate, low: estimate.interval.lower, high: estimate.interval.upper,
                sampleCount: estimate.blocks, coverage: estimate.interval.coverage))
    }

    private func right(_ answers: [Bool], _ reason: String) -> ReportTable.Cell {
        let count = answers.count { $0 }
        guard let interval = Statistics.wilsonInterval(successes: count, of: answers.count) else { return .missing(reason) }
        return .estimate(
            Estimate(
                value: Double(count) / Double(answers.count), low: interval.lower, high: interval.upper,
                sampleCount: answers.count, coverage: interval.coverage))
    }

    private func rate(_ samples: [Double], _ scale: Double, _ reason: String) -> ReportTable.Cell {
        samples.isEmpty ? .missing(reason) : .number(Statistics.median(samples) * scale)
    }

    private func against(_ floor: Double?, _ series: SchemeSeries, _ reason: String) -> ReportTable.Cell {
        guard !series.isBase else { return .text("is the floor") }
        guard let mean = series.mean else { return .missing(reason) }
        guard let floor else { return .missing("this run has no noise floor") }
        return .text(mean.interval.lower > floor ? "above" : "not distinguishable")
    }

    private func notes(_ own: [SchemeSeries]) -> [String] {
        var notes: [String] = []
        let measured = own.filter { $0.divergence != nil }
        if let first = measured.first {
            notes.append(
                "Asked for: an interval of at most \(NumberText.exact(first.relativeInterval)) of the mean, or "
                    + "\(NumberText.exact(first.secondsAllowed)) s of windows a scheme; the last column says which came first.")
        }
        // A cache names the calibration too.
        let wrong = measured.filter { $0.activeScheme.replacing(/#[0-9a-f]{8}/, with: "") != $0.scheme.replacing(/#[0-9a-f]{8}/, with: "") }
        notes.append(
            wrong.isEmpty
                ? "The scheme that each saved cache names is the one that was asked for."
                : wrong.map { "\($0.scheme) was asked for, and the cache holds \($0.activeScheme)." }.joined(separator: " "))
        let restored = measured.compactMap(\.divergence).filter { $0.restoredTokens > 0 }
        if !restored.isEmpty {
            let same = restored.allSatisfy { $0.restoredDifference == 0 && $0.resavedEqual }
            notes.append(
                "Each cache was saved, evicted and loaded in the middle of each window. "
                    + (same
                        ? "Every logit after, and every byte of a second save, was the same."
                        : "Not every logit or byte of a second save was the same, which is an error of the program."))
        }
        return notes
    }

    // MARK: Answers by task

    private func answers(_ own: [SchemeSeries], _ model: String, _ input: ReportInput) -> ReportTable? {
        let tasks = orderedSet(own.flatMap(\.tasks))
        guard !tasks.isEmpty else { return nil }
        let p = tasks.map { task in pValues(own) { $0.task == task } }
        let rows = own.map { series -> [ReportTable.Cell] in
            [.text(series.scheme)] + tasks.indices.flatMap { index -> [ReportTable.Cell] in
                let answers = series.answers.filter { $0.key.task == tasks[index] }.map(\.value)
                let reason = series.problem.isEmpty ? "nothing was asked" : "\(series.scheme): \(series.problem)"
                return [
                    right(answers, reason),
                    series.isBase
                        ? .missing("what the others are compared with")
                        : p[index][series.scheme].map(ReportTable.Cell.number) ?? .missing(reason),
                ]
            }
        }
        return ReportTable(
            id: "\(id)-answers-\(model)", title: "Exact answers by task: \(model)",
            caption: """
                An answer is right when each of its tokens is the most likely one given the right tokens before it. Brackets: \
                Wilson, 95 %. p: exact McNemar against \(own[0].baseScheme) on the same answers, Holm's correction over the \
                \(p[0].count) schemes of a task. \(input.provenance())
                """,
            columns: [.init("Cache", key: "scheme", .text)] + tasks.flatMap { task -> [ReportTable.Column] in
                [.init("\(task)", key: task, .share, hasInterval: true), .init("p", key: "\(task)_p_holm", .plain)]
            }, rows: rows)
    }

    /// Exact McNemar of each scheme but the base over the questions that `chosen` picks, corrected over all of them.
    private func pValues(_ own: [SchemeSeries], _ chosen: (SchemeSeries.Question) -> Bool) -> [String: Double] {
        guard let base = own.first(where: \.isBase)?.answers.filter({ chosen($0.key) }) else { return [:] }
        var compared: [(scheme: String, p: Double)] = []
        for series in own where !series.isBase {
            let answers = series.answers.filter { chosen($0.key) }
            guard !answers.isEmpty, answers.keys == base.keys else { continue }
            let onlyBase = base.count { $0.value && answers[$0.key] == false }
            let onlyThis = base.count { !$0.value && answers[$0.key] == true }
            compared.append((series.scheme, Statistics.mcNemar(onlyFirst: onlyBase, onlySecond: onlyThis)))
        }
        return Dictionary(
            zip(compared.map(\.scheme), Statistics.holm(compared.map(\.p))), uniquingKeysWith: { first, _ in first })
    }

    // MARK: A better than B

    private func pairs(_ own: [SchemeSeries], _ model: String, _ input: ReportInput) -> ReportTable? {
        let pairs = SchemePair.all(own)
        guard !pairs.isEmpty else { return nil }
        let corrected = Statistics.holm(pairs.map(\.p))
        let order = pairs.indices.sorted { (corrected[$0], pairs[$0].p, $0) < (corrected[$1], pairs[$1].p, $1) }
        return ReportTable(
            id: "\(id)-pairs-\(model)", title: "Better at nearly the same bits: \(model)",
            caption: """
                Every two schemes within \(NumberText.exact(SchemePair.nearBits)) bits of each other, on the windows that both \
                were measured on. Difference of the KL divergence in nats per token; brackets: 95 % by drawing whole windows. \
                p: sign-flip test over windows; Holm's correction over \(pairs.count) comparisons. \(input.provenance())
                """,
            columns: Self.pairColumns,
            rows: order.map { index in
                let pair = pairs[index]
                return [
                    .text(pair.better.scheme), .number(pair.better.bits ?? .nan), .text(pair.worse.scheme),
                    .number(pair.worse.bits ?? .nan), cell(pair.difference), .count(pair.difference.blocks),
                    .number(pair.p), .number(corrected[index]),
                    .text(corrected[index] < 0.05 ? "better" : "not distinguishable"),
                ]
            })
    }

    private static let pairColumns: [ReportTable.Column] = [
        .init("Cache A", key: "better", .text),
        .init("Bits", key: "better_bits", .plain),
        .init("Cache B", key: "worse", .text),
        .init("Bits", key: "worse_bits", .plain),
        .init("KLD of B − A", key: "difference", .plain, hasInterval: true),
        .init("Windows", key: "windows", .count),
        .init("p", key: "p", .plain),
        .init("p, Holm", key: "p_holm", .plain),
        .init("A is", key: "verdict", .text),
    ]
}
