import Results

extension PeerRestoreExperiment {
    /// One row for each state that a contender was to reach in a pass.
    public static let schema = TableSchema(
        name: "peer_restore", title: "Saving and restoring caches, kvlab and its peers, one row per state of a contender",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("shape", .string, "Model shape that ran"),
            .init("layers", .int, units: "1", "Layers of the shape that ran"),
            .init("context_tokens", .int, units: "1", "Tokens that are computed and saved"),
            .init("extension_tokens", .int, units: "1", "Tokens that the prompts after the save have besides"),
            .init("output_tokens", .int, units: "1", "Tokens generated after those prompts"),
            .init("contender", .string, "Program and type of its cache"),
            .init("program", .string, "Program"),
            .init("version", .string, "Version, as the program says it"),
            .init("kv", .string, "Type of the cache's keys and values"),
            .init("weights", .string, "Weights in the program's memory; all hold the same numbers"),
            .init("threads", .int, units: "1", "Threads of each program"),
            .init("isa", .string, "Instruction set of kvlab's kernels"),
            .init(
                "state", .string,
                "load: the model; cold: nothing cached; save; hot: cache in memory; warm: cache from its file, same process; "
                    + "reload: the model in a new process; restart: cache from its file, first request of that process"),
            .init("seconds", .double, units: "s", "Time to first token, restoring included, or time of the load or save; NaN where it failed"),
            .init("hit_tokens", .int, units: "1", "Prompt tokens found in the cache; -1 where there is no prompt"),
            .init("same_tokens", .int, units: "1", "1: the tokens after a restore equal those of the hot request; 0: they differ; -1: nothing to compare with"),
            .init("disk_bytes", .int, units: "byte", "Files of the saved cache; -1 in other states than save"),
            .init("memory_bytes", .int, units: "byte", "Keys and values in memory after the context; -1 in other states than cold"),
            .init("peak_rss_bytes", .int, units: "byte", "Peak resident memory of the state's process; -1 where it did not end well"),
            .init("failure", .string, "Why there is no number, in the program's words"),
            .init("started_at_ns", .int, units: "ns", "Start of the contender, nanoseconds since 1970-01-01T00:00:00Z"),
        ])

    /// All but the columns of the cell.
    func rows(_ contender: RestoreContender, _ first: RestoreOutcome, _ restarted: RestoreOutcome) -> [Row] {
        let expected = first[.hot]?.tokens
        func row(_ state: RestoreLine.State, _ name: String, _ outcome: RestoreOutcome) -> Row {
            let line = outcome[state]
            let isRestored = state == .warm || state == .restart
            let same = isRestored ? line?.tokens.flatMap { tokens in expected.map { $0 == tokens ? 1 : 0 } } : nil
            return [
                "contender": .string(contender.description), "program": .string(contender.program.rawValue),
                "version": .string(outcome.version), "kv": .string(contender.kv),
                "weights": .string(outcome.weights), "state": .string(name),
                "seconds": line?.seconds.map { .double($0) } ?? .missing,
                "hit_tokens": .int(Int64(line?.hitTokens ?? -1)), "same_tokens": .int(Int64(same ?? -1)),
                "disk_bytes": .int(Int64(line?.diskBytes ?? -1)), "memory_bytes": .int(Int64(line?.memoryBytes ?? -1)),
                "peak_rss_bytes": .int(Int64(outcome.peakRSSBytes ?? -1)),
                "failure": .string(line == nil ? outcome.failure ?? "" : ""),
            ]
        }
        return RestoreJob.Phase.first.states.map { row($0, $0.rawValue, first) }
            + [row(.load, "reload", restarted), row(.restart, "restart", restarted)]
    }
}
