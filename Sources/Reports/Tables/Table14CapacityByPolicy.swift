/// P1, Table 14, carried on: every shape, budget and cache policy of the run, with what an agent really takes. The
/// paper has no such rows; what is checked is that the pool holds what was computed.
struct Table14CapacityByPolicy: TableDefinition {
    let id = "T14"
    let title = "Table 14, extended. Agents per budget by cache policy"
    let needs = ["capacity"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try PublishedAgents(input.published)
        let pairs = try CapacityPair.all(try input.capacityRows())
        let remarks = orderedSet(pairs.flatMap { [$0.fp16?.note, $0.quantized?.note].compactMap(\.self) })
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Agents of one context that fit each budget. "full": windowed layers keep every token, as in P1; \
                    "window": they keep their window. MLA "expanded" as in P1, or "latent". Computed: budget ÷ bytes \
                    per agent; measured: agents really allocated in the block pool. Gain is quantized ÷ FP16 agents, \
                    computed. Overhead: growth of the process's memory ÷ the bytes of the agents' blocks − 1, where a \
                    pool of the scheme was filled. Paper: P1, Tables 2 and 14, whose caches are "full" and "expanded" \
                    whatever the row's are; "÷ paper" takes measured agents where there are any. \(input.provenance())
                    """,
                columns: Self.columns, rows: pairs.map { row($0, published) }, notes: remarks.filter { !$0.isEmpty })
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("Shape", key: "shape", .text),
        .init("Budget", key: "budget", .text),
        .init("Windowed layers", key: "window_policy", .text),
        .init("MLA", key: "mla_form", .text),
        .init("Context", key: "context", .text, alignment: .right),
        .init("FP16 per agent", key: "fp16_bytes_per_agent", .bytes),
        .init("FP16 agents, computed", key: "fp16_agents_computed", .count),
        .init("FP16 agents, measured", key: "fp16_agents_measured", .count),
        .init("Scheme", key: "scheme", .text),
        .init("Scheme per agent", key: "quantized_bytes_per_agent", .bytes),
        .init("Scheme agents, computed", key: "quantized_agents_computed", .count),
        .init("Scheme agents, measured", key: "quantized_agents_measured", .count),
        .init("Gain", key: "gain", .factor),
        .init("Overhead", key: "overhead", .share),
        .init("Scheme agents, paper", key: "quantized_agents_paper", .count),
        .init("÷ paper", key: "quantized_agents_ratio", .factor),
        .init("Budget bytes", key: "budget_bytes", .bytes, isDetail: true),
        .init("FP16 per agent, measured", key: "fp16_bytes_per_agent_measured", .bytes, isDetail: true),
        .init("FP16 pool", key: "fp16_pool_bytes", .bytes, isDetail: true),
        .init("FP16 RSS growth", key: "fp16_rss_growth_bytes", .bytes, isDetail: true),
        .init("per agent, measured", key: "quantized_bytes_per_agent_measured", .bytes, isDetail: true),
        .init("pool", key: "quantized_pool_bytes", .bytes, isDetail: true),
        .init("RSS growth", key: "quantized_rss_growth_bytes", .bytes, isDetail: true),
    ]

    private func row(_ pair: CapacityPair, _ published: PublishedAgents) -> [ReportTable.Cell] {
        let shared = pair.shared
        let absence = "this run has only \(shared.scheme) here"
        let gain: ReportTable.Cell =
            switch (pair.fp16?.agentsComputed, pair.quantized?.agentsComputed) {
            case (nil, _), (_, nil): .missing(absence)
            case (0, _): .missing("no FP16 agent fits")
            case (let fp16?, let quantized?): .number(Double(quantized) / Double(fp16))
            }
        func bytes(_ row: CapacityRow?) -> ReportTable.Cell {
            row.map { .count($0.bytesPerAgentComputed) } ?? .missing(absence)
        }
        func details(_ row: CapacityRow?) -> [ReportTable.Cell] {
            [row?.bytesPerAgentMeasured, row?.poolBytesMeasured, row?.rssGrowthBytes].map { value in
                value.map(ReportTable.Cell.count) ?? (row == nil ? .missing(absence) : .notMeasured)
            }
        }
        let head: [ReportTable.Cell] = [
            .text(shared.shape), .text(shared.budgetLabel), .text(shared.windowPolicy), .text(shared.mlaForm),
            .text(NumberText.context(shared.contextTokens)),
        ]
        return head + [bytes(pair.fp16)] + pair.fp16.agentCells(otherwise: absence)
            + [pair.quantized.map { .text($0.scheme) } ?? .missing(absence), bytes(pair.quantized)]
            + pair.quantized.agentCells(otherwise: absence)
            + [gain] + comparison(pair.quantized, published, otherwise: absence)
            + [.count(shared.budgetBytes)] + details(pair.fp16) + details(pair.quantized)
    }

    /// Overhead of the pool, the paper's agents, and ours ÷ the paper's.
    private func comparison(
        _ row: CapacityRow?, _ published: PublishedAgents, otherwise absence: String
    ) -> [ReportTable.Cell] {
        guard let row else { return Array(repeating: .missing(absence), count: 3) }
        let overhead: ReportTable.Cell =
            if let growth = row.rssGrowthBytes, let bytes = row.poolBytesMeasured, bytes > 0 {
                .number(Double(growth) / Double(bytes) - 1)
            } else { .notMeasured }
        guard let paper = published.comparable(row) else {
            let reason = "the paper has no such model, context, budget or scheme"
            return [overhead, .missing(reason), .missing(reason)]
        }
        let agents = row.agentsMeasured ?? row.agentsComputed
        return [
            overhead, .count(paper),
            paper == 0 ? .missing("the published number is zero") : .number(Double(agents) / Double(paper)),
        ]
    }
}
