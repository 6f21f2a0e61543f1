/// P1, Appendix D: bytes of one agent's cache at 4K tokens, FP16 against Q4.
struct AppendixDBytesPerAgent: TableDefinition {
    let id = "appendix-D"
    let title = "Appendix D. Bytes per agent at 4K tokens"
    let needs = ["capacity"]

    /// The published numbers are whole MiB.
    static let rule = VerdictRule.within(share: 0.01)

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try input.published.table("appendixD_bytes_per_agent_4k")
        let rows = try input.capacityRows().filter { $0.isAsPublished && $0.contextTokens == 4096 }
        let cells = try (0..<published.rowCount).map { index in
            let model = try published.text(index, "model")
            let own = rows.filter { PublishedModel.fullSize(shape: $0.shape)?.id == model }
            return row(
                PublishedModel.title(model),
                fp16: (try published.number(index, "fp16_mb") * 0x1p20, typical(own.filter { $0.scheme == "fp16" })),
                q4: (
                    try published.number(index, "q4_mb") * 0x1p20,
                    typical(own.filter { $0.scheme == PublishedModel.scheme })
                ),
                absence: "not in this run (profile \(input.results.run.profile))")
        }
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Bytes of one agent's K and V, scales and biases included, all layers, every token kept. Q4 \
                    is \(PublishedModel.scheme). The paper's MB are MiB. Exact numbers without an interval; the \
                    ratio is that of Q4, measured where measured. Reproduced: \
                    \(Self.rule.statement(of: "each number, computed and, where measured, measured,")). \
                    \(input.provenance())
                    """,
                columns: Self.columns, rows: cells)
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Model", key: "model", .text),
        .init("FP16, paper", key: "fp16_paper_bytes", .bytes),
        .init("FP16, computed", key: "fp16_computed_bytes", .bytes),
        .init("FP16, measured", key: "fp16_measured_bytes", .bytes),
        .init("Q4, paper", key: "q4_paper_bytes", .bytes),
        .init("Q4, computed", key: "q4_computed_bytes", .bytes),
        .init("Q4, measured", key: "q4_measured_bytes", .bytes),
        .init("Q4 here ÷ paper", key: "q4_ratio", .plain),
        .init("Q4 ÷ FP16, here", key: "q4_share_of_fp16", .plain),
        .init("Verdict", key: "verdict", .text),
    ]

    /// The row that was measured, or else any: an agent takes the same bytes under each budget.
    private func typical(_ rows: [CapacityRow]) -> CapacityRow? {
        rows.first { $0.bytesPerAgentMeasured != nil } ?? rows.first
    }

    private func row(
        _ title: String, fp16: (paper: Double, here: CapacityRow?), q4: (paper: Double, here: CapacityRow?),
        absence: String
    ) -> [ReportTable.Cell] {
        let gap = ReportTable.Cell.missing(absence)
        func cells(_ side: (paper: Double, here: CapacityRow?)) -> [ReportTable.Cell] {
            guard let here = side.here else { return [.number(side.paper), gap, gap] }
            return [
                .number(side.paper), .count(here.bytesPerAgentComputed),
                here.bytesPerAgentMeasured.map(ReportTable.Cell.count) ?? .notMeasured,
            ]
        }
        let sides: [ReportTable.Cell] = [.text(title)] + cells(fp16) + cells(q4)
        guard let half = fp16.here, let quantized = q4.here else {
            return sides + [gap, gap, .verdict(.notRunnable(reason: absence))]
        }
        let bytes = Double(quantized.bytesPerAgentMeasured ?? quantized.bytesPerAgentComputed)
        let all = [(fp16.paper, half), (q4.paper, quantized)].flatMap { paper, row in
            [row.bytesPerAgentComputed, row.bytesPerAgentMeasured].compactMap(\.self).map { n in
                Self.rule.decide(published: paper, here: .exact(Double(n)))
            }
        }
        return sides + [
            .number(bytes / q4.paper),
            .number(Double(quantized.bytesPerAgentComputed) / Double(half.bytesPerAgentComputed)),
            .verdict(all.allSatisfy { $0 == .reproduced } ? .reproduced : .differs),
        ]
    }
}
