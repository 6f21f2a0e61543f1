import Caches
import Engine
import Models
import Results
import Schemes
import Tensors

extension SchemesExperiment {
    /// The windows, answers and stored bytes of one scheme on one model. What a scheme cannot do is said in its row, and the
    /// other cells go on.
    func measureQuality(
        _ cell: String, _ subject: Subject, _ scheme: CacheScheme
    ) throws -> [(schema: TableSchema, row: Row)] {
        let engine = try subject.model.engine(.reference, like: laboratory.execution)
        let series: Row = ["model": .string(subject.model.checkpoint.name), "scheme": .string(scheme.description)]
        var rows: [(schema: TableSchema, row: Row)] = []
        var problem = ""
        var storage: Row = [:]
        var stopped = ("", 0, 0.0)
        do {
            let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
            let stored = try StoredCache(
                window(subject, 0).tokens, engine: engine, layout: layout, folder: laboratory.cacheFolder)
            storage = [
                "tokens": .int(Int64(stored.tokens)), "stored_bytes": .int(Int64(stored.bytes)),
                "elements": .int(Int64(stored.elements)), "file_bytes": .int(Int64(stored.fileBytes)),
                "active_scheme": .string(stored.scheme), "encoded_bits": .double(layout.encodedBits),
            ]
            let (windows, reason, seconds) = try measureWindows(subject, scheme, series, engine)
            rows += windows
            stopped = (reason.rawValue, windows.count { $0.schema == Self.windowsSchema }, seconds)
            rows += try measureAnswers(subject, scheme, series, engine)
        } catch let error where error is SchemeError || error is CachesError || error is ExperimentsError {
            problem = "\(error)"
            rows = []
        }
        let nothing: Row = [
            "tokens": .int(0), "stored_bytes": .int(0), "elements": .int(0), "file_bytes": .int(0),
            "active_scheme": .string(""), "encoded_bits": .double(0),
        ]
        let own: Row = [
            "cell": .string(cell), "base_scheme": .string(settings.base.description),
            "weights": .string(subject.model.checkpoint.label(bits: nil)),
            "relative_interval": .double(settings.stopping.relativeInterval),
            "seconds_allowed": .double(settings.stopping.seconds), "stopped_by": .string(stopped.0),
            "windows": .int(Int64(stopped.1)), "seconds": .double(stopped.2), "problem": .string(problem),
        ]
        return [(Self.schema, series.merging(own) { $1 }.merging(nothing.merging(storage) { $1 }) { $1 })] + rows
    }

    private func window(_ subject: Subject, _ draw: Int) -> (tokens: [Int32], counted: Range<Int>) {
        let (text, window) = subject.draws[draw]
        let tokens = subject.texts[text].tokens
        return (Array(tokens[settings.windows.ranges(of: tokens.count)[window]]), settings.windows.counted(in: window))
    }

    /// Windows in their order until the rule says enough. The base itself is measured on the fast path: the noise floor.
    private func measureWindows(
        _ subject: Subject, _ scheme: CacheScheme, _ series: Row, _ reference: Engine
    ) throws -> (rows: [(schema: TableSchema, row: Row)], reason: StoppingRule.Reason, seconds: Double) {
        let isBase = scheme.description == settings.base.description
        let engine = isBase ? try subject.model.engine(.fast, like: laboratory.execution) : reference
        let series = series.merging(["compute": .string(engine.execution.compute.rawValue)]) { $1 }
        let pass = try QualityPass(
            base: .init(engine: reference, scheme: settings.base), subjects: [.init(engine: engine, scheme: scheme)],
            cacheFolder: laboratory.cacheFolder)
        let clock = ContinuousClock()
        let start = clock.now
        var rows: [(schema: TableSchema, row: Row)] = []
        var divergences: [[Double]] = []
        for draw in subject.draws.indices {
            let (tokens, counted) = window(subject, draw)
            let outcome = try pass.run(tokens, counted: counted)[0]
            rows.append((Self.windowsSchema, series.merging(windowRow(subject, draw, outcome)) { $1 }))
            for (position, token) in zip(counted, outcome.tokens) {
                let row: Row = [
                    "draw": .int(Int64(draw)), "position": .int(Int64(position)), "kld": .double(token.klDivergence),
                    "delta_p": .double(token.probabilityChange),
                ]
                rows.append((Self.tokensSchema, series.merging(row) { $1 }))
            }
            divergences.append(outcome.tokens.map(\.klDivergence))
            let seconds = (clock.now - start).seconds
            let left = subject.draws.count - draw - 1
            if let reason = settings.stopping.reason(windows: divergences, seconds: seconds, left: left) {
                return (rows, reason, seconds)
            }
        }
        return (rows, .text, (clock.now - start).seconds)
    }

    private func windowRow(_ subject: Subject, _ draw: Int, _ outcome: QualityPass.Outcome) -> Row {
        func sum(_ value: (TokenDivergence) -> Double) -> Value { .double(outcome.tokens.reduce(0) { $0 + value($1) }) }
        let (text, window) = subject.draws[draw]
        return [
            "text": .string(subject.texts[text].name), "text_sha256": .string(subject.texts[text].digest),
            "base_scheme": .string(settings.base.description), "draw": .int(Int64(draw)), "window": .int(Int64(window)),
            "window_tokens": .int(Int64(settings.windows.window)), "stride_tokens": .int(Int64(settings.windows.stride)),
            "tokens_scored": .int(Int64(outcome.tokens.count)), "kld_sum": sum(\.klDivergence),
            "base_loss_sum": sum(\.baseLoss), "loss_sum": sum(\.loss),
            "agreements": .int(Int64(outcome.tokens.count(where: \.agrees))),
            "restored_tokens": .int(Int64(outcome.restoredTokens)),
            "restored_difference": .double(Double(outcome.restoredDifference)),
            "resaved_equal": .int(outcome.resavedEqual ? 1 : 0),
        ]
    }

    private func measureAnswers(
        _ subject: Subject, _ scheme: CacheScheme, _ series: Row, _ engine: Engine
    ) throws -> [(schema: TableSchema, row: Row)] {
        let scorer = try TaskScorer(engine: engine, tokenizer: subject.model.tokenizer, scheme: scheme)
        return try subject.tasks.flatMap { task in
            try (0..<settings.documents).flatMap { index in
                let document = task.document(index)
                return try scorer.score(document).enumerated().map { number, isRight in
                    let row: Row = [
                        "task": .string(document.task.rawValue), "seed": .int(Int64(bitPattern: document.seed)),
                        "document": .int(Int64(index)), "answer": .int(Int64(number)), "right": .int(isRight ? 1 : 0),
                    ]
                    return (Self.answersSchema, series.merging(row) { $1 })
                }
            }
        }
    }
}
