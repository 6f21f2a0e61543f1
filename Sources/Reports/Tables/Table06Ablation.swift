/// P1, Table 6: what each component is worth, measured with it and without it.
struct Table06Ablation: TableDefinition {
    let id = "T6"
    let title = "Table 6. Components, one off at a time"
    let needs = ["ablation"]

    static let rule = VerdictRule.atLeast(share: 0.8)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try Published(input.published)
        let samples = try input.results.table("ablation").map(AblationSample.all) ?? []
        let keys = orderedSet(samples.map { [$0.shape, $0.scheme] })
        return keys.map { key in
            let own = samples.filter { [$0.shape, $0.scheme] == key }
            let rows = published.components.compactMap { paper -> [ReportTable.Cell]? in
                let part = own.filter { $0.component == paper.name }
                return part.isEmpty ? nil : Self.row(part, paper)
            }
            let name = keys.count { $0[0] == key[0] } == 1 ? [key[0]] : key
            let model = own[0].paperModel
            let stands = model.isEmpty ? "" : ", which stands for \(PublishedModel.title(model))"
            return ReportTable(
                id: "\(id)-\(fileName(name.joined(separator: "-")))",
                title: "\(title): \(name.joined(separator: ", "))",
                caption: """
                    Shape \(key[0])\(stands); weights \(own[0].weights); cache \(key[1]). Each component with it and \
                    without it, the others in place, medians over n passes with their non-parametric intervals; effect: \
                    without ÷ with for times, with ÷ without for the rest, within the same pass. A context of cross-phase is the scene of a phase. Paper: \
                    P1, Table 6, of Gemma 3 12B, which takes "without persistence" from its cold runs and whose batching \
                    without it is half of what it has with it, a definition; here two agents are served in turn. \
                    Reproduced: \(Self.rule.statement(of: "the whole interval of the effect here")). \
                    \(input.provenance(orderedSet(own.map(\.hardware)).joined(separator: " and ")))
                    """,
                columns: Self.columns, rows: rows,
                notes: Estimate.coverageNote(rows.flatMap(\.self).compactMap(\.estimate)))
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Component", key: "component", .text),
        .init("Measured", key: "metric", .text),
        .init("Context", key: "context", .text, alignment: .right),
        .init("With, paper", key: "with_paper", .plain, unitGroup: "with paper"),
        .init("With, here", key: "with_here", .plain, hasInterval: true),
        .init("Without, paper", key: "without_paper", .plain),
        .init("Without, here", key: "without_here", .plain, hasInterval: true),
        .init("n", key: "n", .count),
        .init("Effect, paper", key: "effect_paper", .factor),
        .init("Effect, here", key: "effect_here", .factor, hasInterval: true),
        .init("Here ÷ paper", key: "effect_ratio", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    private static func row(_ samples: [AblationSample], _ paper: Published.Component) -> [ReportTable.Cell] {
        // Times are shown as the paper has them.
        let isTime = samples[0].unit == "s"
        let scale = isTime ? 1000.0 : 1
        func perPass(_ isOn: Bool) -> [Int: Double] {
            Dictionary(
                samples.filter { $0.isOn == isOn }.map { ($0.pass, $0.value * scale) }, uniquingKeysWith: { first, _ in first })
        }
        let (with, without) = (perPass(true), perPass(false))
        let passes = Set(with.keys).intersection(without.keys).sorted()
        let head: [ReportTable.Cell] = [
            .text(samples[0].component), .text(samples[0].metric + (isTime ? " (ms)" : "")),
            .text(NumberText.context(samples[0].contextTokens)),
        ]
        guard !passes.isEmpty else {
            let reason = "no pass was measured with and without"
            return head + Array(repeating: .missing(reason), count: 8) + [.verdict(.notRunnable(reason: reason))]
        }
        // One that is absent leaves an effect without bound, which is no number.
        let effects = passes.map { isTime ? without[$0]! / with[$0]! : with[$0]! / without[$0]! }
        let isOfPaper = samples[0].paperModel == Published.model
        let effect = effects.allSatisfy(\.isFinite) ? Estimate(effects) : nil
        let unbounded = "nothing fits without the component"
        func published(_ value: Double) -> ReportTable.Cell {
            isOfPaper ? .number(value) : .missing("the paper's ablation is of Gemma 3 12B only")
        }
        return head + [
            published(paper.with), .estimate(Estimate(passes.map { with[$0]! })), published(paper.without),
            .estimate(Estimate(passes.map { without[$0]! })), .count(passes.count), published(paper.effect),
            effect.map(ReportTable.Cell.estimate) ?? .missing(unbounded),
            effect.map { published($0.value / paper.effect) } ?? .missing(unbounded),
            isOfPaper
                ? .verdict(
                    effect.map { Self.rule.decide(published: paper.effect, here: $0) } ?? .notRunnable(reason: unbounded))
                : published(0),
        ]
    }

    /// `table06_ablation.csv`. Effects are computed from its own two numbers, as it rounds them.
    private struct Published {
        struct Component {
            var name: String
            var with: Double
            var without: Double
            var effect: Double
        }
        static let model = "gemma3-12b"
        var components: [Component] = []

        init(_ numbers: PublishedNumbers) throws {
            let table = try numbers.table("table06_ablation")
            for row in 0..<table.rowCount {
                let (with, without) = (try table.number(row, "with"), try table.number(row, "without"))
                let isTime = try table.text(row, "metric").hasPrefix("ttft_ms")
                components.append(
                    Component(
                        name: try table.text(row, "component"), with: with, without: without,
                        effect: isTime ? without / with : with / without))
            }
        }
    }
}
