import Foundation

/// Saved caches brought back by kvlab and by what people would use instead: what each took and holds, and each peer over each
/// cache of kvlab. Answers P1's table 5, which sets the system beside one peer with prefix caching in memory.
struct TablePeerRestore: TableDefinition {
    let id = "S3"
    let title = "Saved caches beside llama.cpp, mlx-lm and transformers"
    let needs = ["peer_restore"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let all = try PeerRestore.all(input.results.table("peer_restore")!)
        return orderedSet(all.map { "\($0.shape)-\($0.layers)" }).flatMap { key -> [ReportTable] in
            let contexts = all.filter { "\($0.shape)-\($0.layers)" == key }
            let own = orderedSet(contexts.flatMap(\.contenders).filter(\.isOwn).map(\.name))
            return [values(contexts, key, input)] + own.compactMap { ratios(contexts, key, $0, input) }
        }
    }

    // MARK: What was measured

    private func values(_ contexts: [PeerRestore], _ key: String, _ input: ReportInput) -> ReportTable {
        let rows = contexts.flatMap { context in context.contenders.map { Self.row(context, $0) } }
        return ReportTable(
            id: "\(id)-\(fileName(key))", title: "\(title): \(heading(contexts[0]))",
            caption: """
                One agent, the same prompt and threads, the same synthetic weights (\(weights(contexts))); contenders in turns, \
                in random order within a pass, each in two processes of its own. Time to first token, restoring included, \
                median over the passes and its interval. Cold: the context, nothing cached; in the last layer kvlab \
                computes keys and values alone, which flatters it where there are few layers. Then the context and \
                \(contexts[0].extensionTokens) tokens more: in memory, the cache just computed; from disk, the cache dropped \
                and loaded from its file, whose pages are in the page cache; after a restart, the first request of a new \
                process, from when its model was loaded; from nothing: the same with the load of program and model, in which \
                kvlab and llama.cpp do a short run. \
                Agents in 1 GiB: whole caches of that context, of these layers. \
                Same tokens: restores whose \(contexts[0].outputTokens) greedy tokens equal those of the request in memory. \
                Peak memory: of the larger process, weights and program included. \(versions(contexts)). \
                \(input.provenance("\(contexts[0].threads) threads, \(contexts[0].isa)"))
                """,
            columns: Self.columns, rows: rows, notes: Estimate.coverageNote(rows.flatMap { $0.compactMap(\.estimate) }))
    }

    private static let columns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Program and cache", key: "contender", .text),
        .init("n", key: "n", .count),
        .init("Cold", key: "cold_s", .seconds, unitGroup: "cold", hasInterval: true),
        .init("In memory", key: "hot_s", .seconds, unitGroup: "warm", hasInterval: true),
        .init("From disk", key: "warm_s", .seconds, unitGroup: "warm", hasInterval: true),
        .init("After a restart", key: "restart_s", .seconds, unitGroup: "warm", hasInterval: true),
        .init("From nothing", key: "start_s", .seconds, unitGroup: "start", hasInterval: true),
        .init("Save", key: "save_s", .seconds, unitGroup: "warm", hasInterval: true),
        .init("Cache on disk", key: "disk_bytes", .bytes),
        .init("Cache in memory", key: "memory_bytes", .bytes),
        .init("Agents in 1 GiB", key: "agents_in_1_gib", .count),
        .init("Peak memory", key: "peak_rss_bytes", .bytes, unitGroup: "peak"),
        .init("Same tokens", key: "same_tokens", .text),
    ]

    private static func row(_ context: PeerRestore, _ contender: PeerRestore.Contender) -> [ReportTable.Cell] {
        func bytes(_ values: [Int: Double], _ state: PeerRestore.State) -> ReportTable.Cell {
            values.isEmpty ? .missing(absence(contender, state)) : .number(Estimate(Array(values.values)).value)
        }
        func time(_ values: [Int: Double]?, _ state: PeerRestore.State) -> ReportTable.Cell {
            guard let values, !values.isEmpty else { return .missing(absence(contender, state)) }
            return .estimate(Estimate(Array(values.values)))
        }
        func time(_ state: PeerRestore.State) -> ReportTable.Cell { time(contender.seconds[state], state) }
        return [
            .text(NumberText.context(context.context)), .text(contender.name),
            .count(contender.seconds.values.map(\.count).max() ?? 0), time(.cold), time(.hot), time(.warm), time(.restart),
            time(contender.startSeconds, .restart), time(.save), bytes(contender.diskBytes, .save), bytes(contender.memoryBytes, .cold),
            agents(contender), bytes(contender.peakBytes, .warm), same(context, contender),
        ]
    }

    /// Whole caches that fit into 1 GiB.
    private static func agents(_ contender: PeerRestore.Contender) -> ReportTable.Cell {
        guard !contender.memoryBytes.isEmpty else { return .missing(absence(contender, .cold)) }
        return .count(Int(Double(1 << 30) / Estimate(Array(contender.memoryBytes.values)).value))
    }

    private static func same(_ context: PeerRestore, _ contender: PeerRestore.Contender) -> ReportTable.Cell {
        guard contender.compared > 0 else { return .missing(absence(contender, .warm)) }
        let share = contender.same == contender.compared ? "all \(contender.same)" : "\(contender.same) of \(contender.compared)"
        guard let hits = contender.fewestHits, hits < context.context else { return .text(share) }
        return .text("\(share), \(hits) tokens restored")
    }

    private static func absence(_ contender: PeerRestore.Contender, _ state: PeerRestore.State) -> String {
        contender.failures[state]?.first.map { "\(contender.name) gave no number: \($0)" } ?? "it was not run"
    }

    // MARK: Ratios

    /// What is divided, with the words of a verdict.
    private static let parts: [(key: String, words: String, values: @Sendable (PeerRestore.Contender) -> [Int: Double])] = [
        ("cold", "cold", { $0.seconds[.cold] ?? [:] }), ("hot", "in memory", { $0.seconds[.hot] ?? [:] }),
        ("warm", "from disk", { $0.seconds[.warm] ?? [:] }), ("restart", "after a restart", { $0.seconds[.restart] ?? [:] }),
        ("start", "from nothing", { $0.startSeconds }), ("save", "saving", { $0.seconds[.save] ?? [:] }), ("disk", "bytes on disk", { $0.diskBytes }),
        ("memory", "bytes in memory", { $0.memoryBytes }), ("peak", "peak memory", { $0.peakBytes }),
    ]

    private func ratios(_ contexts: [PeerRestore], _ key: String, _ own: String, _ input: ReportInput) -> ReportTable? {
        let pairs = contexts.flatMap { context -> [(PeerRestore, PeerRestore.Contender, PeerRestore.Contender)] in
            guard let mine = context.contenders.first(where: { $0.name == own }) else { return [] }
            return context.contenders.filter { !$0.isOwn }.map { (context, $0, mine) }
        }
        guard !pairs.isEmpty else { return nil }
        var estimates: [Estimate] = []
        let rows = pairs.map { context, peer, mine -> [ReportTable.Cell] in
            let ratios = Self.parts.map { PeerRestore.ratios($0.values(peer), over: $0.values(mine)) }
            let cells = ratios.map { ratios -> ReportTable.Cell in
                ratios.isEmpty
                    ? .missing("the two have no pass in common in which both gave a number") : .estimate(Estimate(ratios))
            }
            estimates += cells.compactMap(\.estimate)
            return [.text(NumberText.context(context.context)), .text(peer.name), .count(ratios.map(\.count).max() ?? 0)]
                + cells + [.text(Self.verdict(cells))]
        }
        return ReportTable(
            id: "\(id)-\(fileName(key))-over-\(fileName(own))", title: "\(title): peers ÷ \(own), \(heading(contexts[0]))",
            caption: """
                What a peer took or holds ÷ what \(own) did, within a pass, the median over the passes and its interval: above \
                1 kvlab is ahead. Behind: the whole interval is below 1; even: it holds 1, or bytes differ by less than 1 %. \
                \(input.provenance("\(contexts[0].threads) threads, \(contexts[0].isa)"))
                """,
            columns: Self.ratioColumns, rows: rows, notes: Estimate.coverageNote(estimates))
    }

    private static let ratioColumns: [ReportTable.Column] = [
        .init("Context", key: "context", .text, alignment: .right),
        .init("Program and cache", key: "contender", .text),
        .init("n", key: "n", .count),
        .init("Cold", key: "cold", .factor, hasInterval: true),
        .init("In memory", key: "hot", .factor, hasInterval: true),
        .init("From disk", key: "warm", .factor, hasInterval: true),
        .init("After a restart", key: "restart", .factor, hasInterval: true),
        .init("From nothing", key: "start", .factor, hasInterval: true),
        .init("Save", key: "save", .factor, hasInterval: true),
        .init("Bytes on disk", key: "disk_bytes", .factor, hasInterval: true),
        .init("Bytes in memory", key: "memory_bytes", .factor, hasInterval: true),
        .init("Peak memory", key: "peak_rss_bytes", .factor, hasInterval: true),
        .init("kvlab is", key: "verdict", .text),
    ]

    /// Headers of files differ by less.
    private static let evenBytes = 0.01

    /// "behind: cold; even: saving", or "ahead in all".
    private static func verdict(_ cells: [ReportTable.Cell]) -> String {
        let measured = zip(parts, cells).compactMap { part, cell -> (words: String, low: Double, high: Double)? in
            guard let estimate = cell.estimate else { return nil }
            let slack = part.words.hasPrefix("bytes") ? evenBytes : 0
            return (part.words, estimate.low - slack, estimate.high + slack)
        }
        guard !measured.isEmpty else { return "not compared" }
        let behind = measured.filter { $0.high < 1 }.map(\.words)
        let even = measured.filter { $0.low <= 1 && $0.high >= 1 }.map(\.words)
        if behind.isEmpty, even.isEmpty { return "ahead in all" }
        return [("behind", behind), ("even", even)].filter { !$1.isEmpty }.map { "\($0): \($1.joined(separator: ", "))" }
            .joined(separator: "; ")
    }

    // MARK: Captions

    private func heading(_ context: PeerRestore) -> String {
        "\(context.shape), \(context.layers) layer\(context.layers == 1 ? "" : "s")"
    }

    private func weights(_ contexts: [PeerRestore]) -> String {
        orderedSet(contexts.flatMap(\.contenders).filter { !$0.weights.isEmpty }.map { "\($0.program): \($0.weights)" }).joined(separator: ", ")
    }

    private func versions(_ contexts: [PeerRestore]) -> String {
        orderedSet(contexts.flatMap(\.contenders).map(\.version).filter { !$0.isEmpty }).joined(separator: "; ")
    }
}
