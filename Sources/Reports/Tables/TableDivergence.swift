import Foundation
import Results

/// What cache schemes do to predictions of a text: the first line of every quality figure.
struct TableDivergence: TableDefinition {
    let id = "kld"
    let title = "Quality. Predictions with quantized caches against an unquantized one"
    let needs = ["kld", "kld_tokens"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let series = try DivergenceSeries.all(input.results.table("kld")!, tokens: input.results.table("kld_tokens")!)
        return orderedSet(series.map(\.model)).map { model in
            let own = series.filter { $0.model == model }
            let floor = own.first { $0.isNoiseFloor }?.mean(\.kldSum)?.interval.upper
            let first = own[0]
            return ReportTable(
                id: "\(id)-\(model)", title: "\(title): \(model)",
                caption: """
                    \(first.tokens) tokens of \(first.texts) texts in \(first.windows.count) windows of \
                    \(first.windowTokens) tokens, each from an empty cache; the last \(first.strideTokens) of each \
                    count, of a text's first window all but the first token. Every position reads what the cache \
                    stores, its own row included. Base: \(first.baseScheme), reference arithmetic. KLD in nats. Brackets: \
                    95 % by drawing whole windows. \(input.provenance())
                    """,
                columns: Self.columns, rows: own.map { row($0, floor: floor) }, notes: notes(own))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Cache", key: "scheme", .text),
        .init("KLD, mean", key: "kld_mean", .plain, hasInterval: true),
        .init("p50", key: "kld_p50", .plain),
        .init("p90", key: "kld_p90", .plain),
        .init("p95", key: "kld_p95", .plain),
        .init("p99", key: "kld_p99", .plain),
        .init("p99.9", key: "kld_p999", .plain),
        .init("max", key: "kld_max", .plain),
        .init("Same top token", key: "top1", .share, hasInterval: true),
        .init("Δp, mean", key: "delta_p_mean", .share),
        .init("Δp, RMS", key: "delta_p_rms", .share),
        .init("Perplexity", key: "perplexity", .plain),
        .init("ln(PPL ÷ base)", key: "ln_ppl_ratio", .plain, hasInterval: true),
        .init("Against the noise floor", key: "floor", .text),
        .init("Restored, largest Δlogit", key: "restored_difference", .plain),
        .init("Injected, largest Δlogit", key: "injected_difference", .plain),
    ]

    private func row(_ series: DivergenceSeries, floor: Double?) -> [ReportTable.Cell] {
        let count = Double(series.tokens)
        let kld = series.mean(\.kldSum)
        let few = "an interval needs two windows"
        let tails: [ReportTable.Cell] = [0.5, 0.9, 0.95, 0.99, 0.999].map { p in
            Statistics.tailQuantile(series.kld, p).map(ReportTable.Cell.number) ?? .missing("too few tokens for this tail")
        }
        let squares = series.deltaP.reduce(0) { $0 + $1 * $1 }
        return [.text(series.isNoiseFloor ? "\(series.scheme), \(series.compute) arithmetic (noise floor)" : series.scheme)]
            + [.drawn(kld, else: few)] + tails + [.number(series.kld.max() ?? 0)]
            + [
                .drawn(series.mean { Double($0.agreements) }, else: few),
                .number(series.deltaP.reduce(0, +) / count), .number((squares / count).squareRoot()),
                .number(series.perplexity), .drawn(series.mean { $0.lossSum - $0.baseLossSum }, else: few),
                against(floor, series, kld), largest(series.restoredDifference), largest(series.injectedDifference),
            ]
    }

    private func against(_ floor: Double?, _ series: DivergenceSeries, _ kld: BootstrapEstimate?) -> ReportTable.Cell {
        guard !series.isNoiseFloor else { return .text("is the floor") }
        guard let floor, let kld else { return .missing("this run has no noise floor") }
        return .text(kld.interval.lower > floor ? "above" : "not distinguishable")
    }

    private func largest(_ difference: Double?) -> ReportTable.Cell {
        difference.map(ReportTable.Cell.number) ?? .missing("not done in this run")
    }

    private func notes(_ own: [DivergenceSeries]) -> [String] {
        var notes = ["Perplexity with the base's cache: \(NumberText.short(own[0].basePerplexity))."]
        let restored = own.filter { $0.restoredTokens > 0 }
        if !restored.isEmpty {
            let same = restored.allSatisfy {
                $0.restoredDifference == 0 && ($0.injectedDifference ?? 0) == 0 && $0.resavedEqual
            }
            let injected = restored.contains { $0.injectedDifference != nil }
            notes.append(
                "Each cache was saved, evicted and loaded in the middle of each window"
                    + (injected ? " (restored), and exported and imported under another agent's name (injected)" : "")
                    + ": \(restored[0].restoredTokens) tokens a scheme were computed again on it. "
                    + (same
                        ? "Every logit, and every byte of a second save, was the same."
                        : "Not every logit or byte of a second save was the same, which is an error of the program."))
        }
        return notes
    }
}
