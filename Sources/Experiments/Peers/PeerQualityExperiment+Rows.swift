import Caches
import Foundation
import Models
import Results
import Schemes
import Tensors

extension PeerQualityExperiment {
    /// One row for each cache of a checkpoint.
    public static let schema = TableSchema(
        name: "peer_quality", title: "Predictions with quantized caches, kvlab and llama.cpp, one row per cache",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("weights", .string, "What the weights are in memory; both hold the same numbers"),
            .init("text", .string, "Texts, one after another, by their file names"),
            .init("text_sha256", .string, "SHA-256 of the texts joined"),
            .init("window_tokens", .int, units: "1", "Tokens of a window, each from an empty cache; the second half counts"),
            .init("windows", .int, units: "1", "Windows"),
            .init("tokens_scored", .int, units: "1", "Positions that count"),
            .init("contender", .string, "Program and cache"),
            .init("program", .string, "Program"),
            .init("version", .string, "Version, as the program says it"),
            .init("kv", .string, "Type of the cache's keys and values"),
            .init("base_kv", .string, "That of the base, which the same program computed"),
            .init("compute", .string, "What the program computes with"),
            .init("threads", .int, units: "1", "Threads"),
            .init("isa", .string, "Instruction set of kvlab's kernels"),
            .init("kld_mean", .double, units: "1", "Mean of KL(base, cache) in nats; NaN where it failed"),
            .init("kld_standard_error", .double, units: "1", "Its standard error over the positions, taken as independent"),
            .init("same_top", .double, units: "1", "Share of positions at which both find the same token the most likely"),
            .init("bytes_per_token", .double, units: "byte", "Keys and values of a token in all layers, by their types"),
            .init("beside", .string, "The contender of llama.cpp that stores the same; empty where there is none"),
            .init("lowest_ratio", .double, units: "1", "Target: the mean over that of the contender beside it, at least"),
            .init("highest_ratio", .double, units: "1", "Target: at most"),
            .init("failure", .string, "Why there is no number, in the program's words"),
            .init("started_at_ns", .int, units: "ns", "Start, nanoseconds since 1970-01-01T00:00:00Z"),
        ])

    /// One row for each position that counts, of kvlab's caches.
    public static let tokenSchema = TableSchema(
        name: "peer_quality_tokens", title: "Predictions with kvlab's caches in the comparison with llama.cpp, by position",
        columns: [
            .init("model", .string, "Checkpoint"),
            .init("kv", .string, "Cache scheme"),
            .init("window", .int, units: "1", "Window, from 0"),
            .init("position", .int, units: "1", "Position of the token within the window"),
            .init("kld", .double, units: "1", "KL(base, cache) in nats"),
        ])

    func commonColumns(_ cell: Cell, _ plan: Plan) -> Row {
        [
            "cell": .string(cell.name), "model": .string(plan.model.checkpoint.name),
            "text": .string(plan.texts.joined(separator: ", ")),
            "text_sha256": .string(digest(String(decoding: plan.text, as: UTF8.self))),
            "window_tokens": .int(Int64(setup.window)), "windows": .int(Int64(setup.windows)),
            "tokens_scored": .int(Int64(setup.counted.count * setup.windows)), "threads": .int(Int64(setup.threads)),
            "isa": .string(setup.isa),
        ]
    }

    func row(
        _ plan: Plan, _ peer: QualityPair.Peer, _ result: PeerResult, startedAt: Int64
    ) -> Row {
        let found = try? result.get()
        var failure = ""
        if case .failure(let error) = result { failure = error.words }
        // Every type stands in `QualityPair.types`.
        let block = peer.type.block
        let elements = plan.model.checkpoint.configuration.cacheSpec(mlaForm: setup.form).layers
            .reduce(0) { $0 + $1.kvHeads * ($1.keyWidth + $1.valueWidth) }
        return [
            "contender": .string(peer.description), "program": .string("llama.cpp"),
            "version": .string(found == nil ? "" : peerVersion), "weights": .string("F32"),
            "kv": .string(peer.kv + (peer.rotates ? ", rotated" : "")), "base_kv": .string(setup.base.peer!.kv),
            "compute": .string("flash attention"), "kld_mean": found.map { .double($0.mean) } ?? .missing,
            "kld_standard_error": found.map { .double($0.standardError) } ?? .missing,
            "same_top": found.map { .double($0.sameTop) } ?? .missing,
            "bytes_per_token": .double(Double(elements * block.bytes) / Double(block.elements)), "beside": .string(""),
            "lowest_ratio": .missing, "highest_ratio": .missing, "failure": .string(failure), "started_at_ns": .int(startedAt),
        ]
    }

    func row(_ plan: Plan, _ pair: QualityPair, _ tokens: [TokenDivergence], startedAt: Int64) throws -> Row {
        let count = Double(tokens.count)
        let mean = tokens.reduce(0) { $0 + $1.klDivergence } / count
        let square = tokens.reduce(0) { $0 + ($1.klDivergence - mean) * ($1.klDivergence - mean) } / count
        let checkpoint = plan.model.checkpoint
        let layout = try CacheLayout(
            spec: checkpoint.configuration.cacheSpec(mlaForm: setup.form), scheme: CacheScheme(expression: pair.kvlab))
        let target = pair.peer == nil ? nil : setup.ratios
        return [
            "contender": .string("kvlab \(pair.kvlab)"), "program": .string("kvlab"),
            "version": .string("kvlab \(Version.current)"),
            "weights": .string(checkpoint.label(bits: nil)), "kv": .string(pair.kvlab), "base_kv": .string(setup.base.kvlab),
            "compute": .string(Compute.reference.rawValue), "kld_mean": .double(mean),
            "kld_standard_error": .double((square / max(1, count - 1)).squareRoot()),
            "same_top": .double(Double(tokens.count(where: \.agrees)) / count),
            "bytes_per_token": .double(Double(layout.layers.reduce(0) { $0 + $1.blockBytes }) / Double(blockTokens)),
            "beside": .string(pair.peer?.description ?? ""), "lowest_ratio": target.map { .double($0.low) } ?? .missing,
            "highest_ratio": target.map { .double($0.high) } ?? .missing, "failure": .string(""), "started_at_ns": .int(startedAt),
        ]
    }
}
