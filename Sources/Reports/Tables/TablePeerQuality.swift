/// What quantized caches do to predictions, by llama.cpp's own measure here and there.
struct TablePeerQuality: TableDefinition {
    let id = "S4"
    let title = "Quality. Predictions with quantized caches beside llama.cpp"
    let needs = ["peer_quality"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let caches = try PeerQuality.all(input.results.table("peer_quality")!)
        let first = caches[0]
        let versions = orderedSet(caches.map(\.version).filter { !$0.isEmpty }).joined(separator: "; ")
        let hardware = orderedSet(caches.map { "\($0.threads) threads, \($0.isa)" }).joined(separator: "; ")
        let models = orderedSet(caches.map(\.model))
        return models.map { model in
            let mine = caches.filter { $0.model == model }
            return ReportTable(
                id: "\(id)-\(fileName(model))", title: "\(title): \(model)",
                caption: """
                    The protocol of llama-perplexity in both: \(first.windows) windows of \(first.window) tokens of the same text, \
                    each from an empty cache and with the same tokens, which is checked; \(first.scored) positions in their second \
                    halves count. KLD in nats against the same program's own cache in floats (\(bases(mine))); brackets: one standard \
                    error, positions taken as independent, as llama-perplexity prints it. The same file's weights in 32 bits. \
                    kvlab: reference arithmetic; llama.cpp: flash attention, which rounds queries to 8 bits where keys are quantized, as \
                    queries-q8_0 does here. Rotated: as llama.cpp does by default, keys and values after a Hadamard transform. \
                    Ratio: kvlab ÷ llama.cpp; llama-perplexity prints six decimals, and a half in the last of them is in \
                    its brackets. Met: it lies within the target, which stood in the experiment's file before the run. \
                    \(versions). \(input.provenance(hardware))
                    """,
                columns: Self.columns, rows: mine.filter { $0.program == "kvlab" }.map { row($0, mine) })
        }
    }

    private static let columns: [ReportTable.Column] = [
        .init("Cache of kvlab", key: "kvlab", .text),
        .init("Bytes per token", key: "kvlab_bytes_per_token", .count),
        .init("KLD", key: "kvlab_kld", .plain, hasInterval: true),
        .init("Same top token", key: "kvlab_same_top", .share),
        .init("Cache of llama.cpp", key: "peer", .text),
        .init("Bytes per token", key: "peer_bytes_per_token", .count),
        .init("KLD", key: "peer_kld", .plain, hasInterval: true),
        .init("Same top token", key: "peer_same_top", .share),
        .init("Ratio", key: "ratio", .factor, hasInterval: true),
        .init("Target", key: "target", .text),
        .init("Verdict", key: "verdict", .text),
    ]

    private func bases(_ caches: [PeerQuality]) -> String { orderedSet(caches.map(\.base)).joined(separator: " and ") }

    private func row(_ own: PeerQuality, _ all: [PeerQuality]) -> [ReportTable.Cell] {
        let start: [ReportTable.Cell] = [.text(own.kv), .number(own.bytesPerToken), Self.divergence(own), .number(own.sameTop)]
        guard !own.beside.isEmpty else { return start + Array(repeating: .text(""), count: 7) }
        guard let peer = all.first(where: { $0.contender == own.beside }) else {
            return start + [.text(own.beside)] + Array(repeating: .missing("it was not run"), count: 6)
        }
        let target = ReportTable.Cell.text("\(NumberText.short(own.lowestRatio)) … \(NumberText.short(own.highestRatio))")
        guard peer.failure.isEmpty else {
            let missing = ReportTable.Cell.missing("\(peer.contender) gave no number: \(peer.failure)")
            return start + [.text(peer.kv), .number(peer.bytesPerToken), missing, missing, missing, target, missing]
        }
        let side: [ReportTable.Cell] = [
            .text(peer.kv), .number(peer.bytesPerToken), Self.divergence(peer), .number(peer.sameTop),
        ]
        guard peer.mean > PeerQuality.printedStep else {
            let missing = ReportTable.Cell.missing(
                "\(peer.contender) printed a divergence of \(peer.mean), too few digits for a ratio")
            return start + side + [missing, target, missing]
        }
        let ratio = own.mean / peer.mean
        let half = PeerQuality.printedStep / 2
        return start + side + [
            .estimate(
                Estimate(
                    value: ratio, low: own.mean / (peer.mean + half), high: own.mean / (peer.mean - half), sampleCount: own.scored,
                    coverage: 1)),
            target, .text(ratio >= own.lowestRatio && ratio <= own.highestRatio ? "met" : "missed"),
        ]
    }

    private static func divergence(_ cache: PeerQuality) -> ReportTable.Cell {
        .estimate(
            Estimate(
                value: cache.mean, low: cache.mean - cache.standardError, high: cache.mean + cache.standardError,
                sampleCount: cache.scored, coverage: 0.68))
    }
}
