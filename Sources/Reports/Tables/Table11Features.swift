import Results

/// P1, Table 11: features of systems, in the words of the paper, and a row for kvlab that rows of this run decide.
struct Table11Features: TableDefinition {
    let id = "T11"
    let title = "Table 11. Features of systems, and what this run shows of kvlab"
    let needs: [String] = []

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let published = try input.published.table("table11_features")
        let keys = ["system", "pool", "batched_q4", "working_memory", "edge", "disk"]
        let theirs = try (0..<published.rowCount).map { row in
            try keys.map { ReportTable.Cell.text(try published.text(row, $0)) } + [.text("published")]
        }
        let findings = try Self.findings(input)
        let own = [.text("kvlab")] + findings.map(\.cell) + [.text("this run")]
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Published rows are the words of P1, Table 11. The last row is decided by rows of this run, as the notes \
                    say; where the run has none, nothing is claimed. \(input.provenance())
                    """,
                columns: Self.columns, rows: theirs + [own],
                notes: findings.compactMap(\.evidence))
        ]
    }

    private static let columns: [ReportTable.Column] = [
        .init("System", key: "system", .text), .init("Block pool", key: "pool", .text),
        .init("Batched Q4", key: "batched_q4", .text), .init("Working memory", key: "working_memory", .text),
        .init("Edge", key: "edge", .text), .init("Disk", key: "disk", .text), .init("Source", key: "source", .text),
    ]

    /// A cell of our row and what it was decided by.
    private struct Finding {
        var cell: ReportTable.Cell
        var evidence: String?

        static func absent(_ experiment: String) -> Finding {
            Finding(cell: .missing("experiment '\(experiment)' was not run"))
        }
    }

    private static func findings(_ input: ReportInput) throws -> [Finding] {
        [try pool(input), try batched(input), try memory(input), try edge(input), try disk(input)]
    }

    /// Agents that were really given blocks of their own until a budget was full.
    private static func pool(_ input: ReportInput) throws -> Finding {
        let filled = try input.capacityRows().filter { $0.agentsMeasured != nil }
        guard let most = filled.compactMap(\.agentsMeasured).max() else { return .absent("capacity") }
        return Finding(
            cell: .text(most > 1 ? "Agent" : "No"),
            evidence: "Block pool: \(filled.count) pools were filled, each agent with blocks of its own, up to \(most) agents.")
    }

    /// Agents served in one step from quantized caches.
    private static func batched(_ input: ReportInput) throws -> Finding {
        let turns = try input.turns("batched").filter { $0.batch > 1 }
        guard !turns.isEmpty else { return .absent("batched") }
        let quantized = turns.filter { $0.scheme.hasPrefix("affine-q4") && $0.outputTokens > 0 }
        return Finding(
            cell: .text(quantized.isEmpty ? "No" : "Q4"),
            evidence: "Batched Q4: \(quantized.count) turns of agents served together decoded from caches of 4 bits.")
    }

    /// Turns of a later phase that found what their agent cached in earlier ones.
    private static func memory(_ input: ReportInput) throws -> Finding {
        let turns = try input.turns("phases").filter { $0.mode == "persistent" && $0.state.hasPrefix("5") }
        guard !turns.isEmpty else { return .absent("phases") }
        let kept = turns.filter { $0.hitTokens > 0 }
        return Finding(
            cell: .text(kept.isEmpty ? "No" : "Yes"),
            evidence: "Working memory: \(kept.count) of \(turns.count) turns of the last phase found their agent's cache.")
    }

    /// A machine with no more memory than the devices of Table 1.
    private static func edge(_ input: ReportInput) throws -> Finding {
        guard let memory = input.machineNumber("memory_bytes") else {
            return Finding(cell: .missing("the memory of the machine was not recorded"))
        }
        let devices = try input.published.table("table01_devices")
        let largest = try (0..<devices.rowCount).map { try devices.number($0, "memory_gb") }.max() ?? 0
        let own = memory / 0x1p30
        return Finding(
            cell: .text(own <= largest ? "Yes" : "No"),
            evidence: "Edge: the run had \(NumberText.short(own)) GiB of memory, and the largest device of Table 1 has "
                + "\(NumberText.exact(largest)).")
    }

    /// Requests served from a file, with the tokens of a cache that was never saved.
    private static func disk(_ input: ReportInput) throws -> Finding {
        let warm = try input.ttftBlocks().flatMap { block in
            block.contexts.flatMap { context in
                block.states.filter { $0.name == "warm" }.flatMap { block[context, $0] }
            }
        }.filter { $0.bytesRead > 0 && $0.sameTokens != nil }
        guard !warm.isEmpty else { return .absent("ttft") }
        let same = warm.count { $0.sameTokens == true }
        return Finding(
            cell: .text(same == warm.count ? "Yes" : "No"),
            evidence: "Disk: \(same) of \(warm.count) restored caches gave the tokens of a cache that was never saved.")
    }
}
