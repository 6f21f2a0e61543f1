import Foundation
import Results

/// P1, Table 9 and Appendix E: perplexity with an FP16 cache and with quantized ones, one table per protocol and text.
struct Table09Perplexity: TableDefinition {
    let id = "T9"
    let title = "Table 9. Perplexity with quantized caches"
    let needs = ["perplexity"]

    static let rule = VerdictRule.atMost(factor: 1, floor: 0.03)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try PublishedPerplexity(input.published)
        let series = try PerplexitySeries.all(input.results.table("perplexity")!)
        return orderedSet(series.map { [$0.protocolName, $0.text] }).map { key in
            let own = series.filter { [$0.protocolName, $0.text] == key }
            let standIns = own.contains { PublishedModel.fullSize(shape: $0.shape) == nil }
            return ReportTable(
                id: "\(id)-\(fileName(key[0]))-\(fileName(key[1]))", title: "\(title): \(key[0]) protocol, \(key[1])",
                caption: """
                    \(how(own)) Change: perplexity with the cache ÷ that with \(own[0].baseScheme), less 1; its interval and \
                    the standard error of its logarithm are drawn by whole windows. Reference arithmetic. Paper: P1, Table 9, \
                    of its model of the same class, on its own text. Reproduced: \
                    \(Self.rule.statement(of: "the whole interval of the change here")). \(input.provenance())
                    """,
                columns: Self.columns, rows: own.map { row($0, published) },
                notes: reading(own) + (standIns ? [Self.standIns] : []))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Model", key: "model", .text),
        .init("Stands beside", key: "paper_model", .text),
        .init("Cache", key: "scheme", .text),
        .init("Tokens scored", key: "tokens", .count),
        .init("Windows", key: "windows", .count),
        .init("FP16, paper", key: "fp16_paper", .plain),
        .init("Unquantized, here", key: "base_here", .plain),
        .init("Q4, paper", key: "q4_paper", .plain),
        .init("Quantized, here", key: "quantized_here", .plain),
        .init("Change, paper", key: "change_paper", .share),
        .init("Change, here", key: "change_here", .share, hasInterval: true),
        .init("ln ratio", key: "ln_ratio", .plain),
        .init("± SE", key: "ln_ratio_se", .plain),
        .init("KLD, mean", key: "kld_mean", .plain, hasInterval: true),
        .init("Verdict", key: "verdict", .text),
    ]

    private func row(_ series: PerplexitySeries, _ published: PublishedPerplexity) -> [ReportTable.Cell] {
        let paper = published.entries[series.paperModel]
        let few = "an interval needs two windows"
        let noModel = "the paper has no such model"
        let noScheme = "the paper has \(PublishedModel.scheme) only"
        let isPapers = series.scheme == PublishedModel.scheme
        let ratio = series.logRatio
        let change = ratio.map { drawn in
            Estimate(
                value: exp(drawn.estimate) - 1, low: exp(drawn.interval.lower) - 1, high: exp(drawn.interval.upper) - 1,
                sampleCount: drawn.blocks, coverage: drawn.interval.coverage)
        }
        func printed(_ value: (PublishedPerplexity.Entry) -> Double, always: Bool = false) -> ReportTable.Cell {
            guard let paper else { return .missing(noModel) }
            return always || isPapers ? .number(value(paper)) : .missing(noScheme)
        }
        let verdict: ReportTable.Cell =
            switch (paper, change) {
            case (nil, _): .missing(noModel)
            case (_, nil): .missing(few)
            case (let paper?, let change?):
                isPapers ? .verdict(Self.rule.decide(published: paper.change, here: change)) : .missing(noScheme)
            }
        return [
            .text(series.model), paper == nil ? .missing(noModel) : .text(PublishedModel.title(series.paperModel)),
            .text(series.scheme), .count(series.tokens), .count(series.windows.count), printed(\.fp16, always: true),
            .number(series.basePerplexity), printed(\.q4), .number(series.perplexity), printed(\.change),
            change.map(ReportTable.Cell.estimate) ?? .missing(few),
            ratio.map { .number($0.estimate) } ?? .missing(few), ratio.map { .number($0.standardError) } ?? .missing(few),
            .drawn(series.divergence, else: few), verdict,
        ]
    }

    /// How it was measured: what the rows say, not what a protocol should be.
    private func how(_ own: [PerplexitySeries]) -> String {
        func values(_ value: (PerplexitySeries) -> Int) -> String {
            orderedSet(own.map(value)).sorted().map { NumberText.fixed(Double($0), decimals: 0) }.joined(separator: " or ")
        }
        let first = own[0]
        let apart = first.protocolName == "corrected"
        let documents = first.documents == 1 ? "one document" : "\(first.documents) documents"
        let lengths = "windows of \(apart ? "up to " : "")\(values(\.longestWindow)) tokens"
        let start =
            switch first.startToken {
            case "window": "a start token at the beginning of each, which does not count"
            case "text": "a start token at the beginning of the text only"
            default: "no start token, since the tokenizer has none"
            }
        let sliding = orderedSet(own.filter { $0.slidingWindow > 0 }.map { "\($0.model) \($0.slidingWindow)" })
        let steps =
            first.stepTokens >= first.longestWindow
            ? "one forward pass a window" : "steps of \(first.stepTokens) tokens on the cache of the steps before"
        return """
            \(documents) \(apart ? "apart, no window reaching into the next" : "joined"), cut into \(lengths) every \
            \(values(\.strideTokens)), a fresh cache for each, \(steps); \(start). Of a stretch's first window every token but \
            the first counts, of a later one the last \(values(\.strideTokens)): \(values(\.tokens)) tokens. \
            \(sliding.isEmpty ? "No layer has a sliding window." : "Sliding windows: \(sliding.joined(separator: ", ")) tokens.")
            """.capitalizedFirst
    }

    /// Which positions read what is stored, as the first position of a window shows.
    private func reading(_ own: [PerplexitySeries]) -> [String] {
        let quantized = own.filter { $0.scheme != $0.baseScheme && $0.windows.contains { !$0.firstKLD.isNaN } }
        let others = orderedSet(quantized.filter { !$0.readsOwnRow }.map(\.scheme))
        guard !quantized.isEmpty else { return [] }
        let all = "Every position reads keys and values as the cache stores them, its own row included"
        return [
            others.isEmpty
                ? "\(all): the first position of a window, which sees no other row, differs from \(own[0].baseScheme)."
                : "\(all), but for \(others.joined(separator: ", ")), whose newest rows are read unquantized."
        ]
    }

    static let standIns = """
        What small models can say of those of 8 to 16 billion parameters, and what not. The code path is the same: the classes, \
        the loader, the bytes of the format, groups along the head, every position read back. So an error of the program would \
        show here; whether a change of perplexity is seen at all, and in which order schemes stand, are worth carrying over as \
        expectations. The size of the change is not. Keys of large models have a few channels far larger than the others, \
        which share their group's scale with them; their heads are wider, their layers and heads more, and so more redundant; they \
        read longer contexts, and their own text is likelier to them. A change here is neither a bound nor an estimate of \
        theirs, and perplexities over different vocabularies and texts are not compared at all. The same file measures them: \
        kvlab run experiments/perplexity.yaml --set weights=[DIR].
        """
}

extension String {
    /// With a large first letter.
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
