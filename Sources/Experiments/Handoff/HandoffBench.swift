import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// One context, held by a sender in every scheme, handed over in every way or computed again.
///
/// The context is synthetic rows: what is timed does not depend on what they mean.
final class HandoffBench {
    private let engine: Engine
    private let folder: String
    private let context: Int
    private let query: [Int32]
    private let outputTokens: Int
    private let seed: UInt64
    private let senders: [AgentCache]

    /// A row of the results, and what its receiver said where the sender's own cache says the same.
    struct Sample {
        var row: Row
        fileprivate let comparison: (sender: Int, tokens: [Int32])?
    }

    /// - Parameter folder: where a card's file goes.
    init(
        engine: Engine, schemes: [String], folder: String, context: Int, newTokens: Int, outputTokens: Int, seed: UInt64
    ) throws {
        self.engine = engine
        self.folder = folder
        self.context = context
        self.outputTokens = outputTokens
        self.seed = seed
        query = Self.tokens(newTokens, seed: seed, vocabulary: engine.model.vocabularySize)
        senders = try schemes.map { scheme in
            let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: scheme))
            let sender = AgentCache(agent: "sender", layout: layout, pool: BlockPool(budgetBytes: .max))
            try SyntheticContext(layout: layout, seed: seed, execution: engine.execution).fill(sender, to: context)
            return sender
        }
    }

    /// Small handoffs that are not measured: pages of the weights come in, threads wake.
    func warmUp() throws {
        for sender in senders.indices {
            let warm = try receiver(sender, own: 64)
            var request = CardRequest()
            request.part = .last(min(context, 64))
            try engine.inject(SealedCard(engine.card(of: senders[sender], request)).open(workers: engine.execution.workers), into: warm)
            _ = try engine.decode(warm, engine.greedy(try engine.prefill(warm, query), row: 0))
        }
    }

    private static func tokens(_ count: Int, seed: UInt64, vocabulary: Int) -> [Int32] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &generator) }
    }

    /// A receiver with a sender's scheme, and `own` tokens that it has computed.
    private func receiver(_ sender: Int, own: Int) throws -> AgentCache {
        let cache = AgentCache(agent: "receiver", layout: senders[sender].layout, pool: BlockPool(budgetBytes: .max))
        if own > 0 {
            try engine.prefill(cache, Self.tokens(own, seed: seed &+ 1, vocabulary: engine.model.vocabularySize))
        }
        return cache
    }

    func handoff(of number: Int, through medium: HandoffMedium, own: Int) throws -> Sample {
        let sender = senders[number]
        let receiver = try receiver(number, own: own)
        let started = Self.now()
        var watch = StageWatch()
        let made = try engine.card(of: sender)
        let make = watch.lap()
        let arrival = try medium.carry(made, folder: folder, workers: engine.execution.workers)
        var stages = arrival.seconds
        stages["make"] = make
        watch = StageWatch()
        let card = try arrival.card.open(workers: engine.execution.workers)
        stages["verify"] = watch.lap()
        try engine.inject(card, into: receiver)
        stages["inject"] = watch.lap()
        var (row, tokens) = try answer(receiver, stages, started: started)
        row["way"] = .string(medium.rawValue)
        row["own_tokens"] = .int(Int64(own))
        row["card_bytes"] = .int(Int64(card.bytes.count))
        row["scheme"] = .string(card.header.precision.schemes[0].description)
        row["page_cache"] = .string(arrival.pageCache)
        return Sample(row: row, comparison: own == 0 ? (number, tokens) : nil)
    }

    /// The context computed behind the receiver's own tokens, in the first scheme.
    func prefill(own: Int) throws -> Sample {
        let receiver = try receiver(0, own: own)
        let tokens = Self.tokens(context, seed: seed &+ 2, vocabulary: engine.model.vocabularySize)
        var row = try answer(receiver, [:], before: tokens, started: Self.now()).row
        row["way"] = .string("prefill")
        row["own_tokens"] = .int(Int64(own))
        row["card_bytes"] = .int(0)
        row["scheme"] = .string(receiver.layout.scheme.description)
        row["page_cache"] = .string("none")
        return Sample(row: row, comparison: nil)
    }

    /// Runs the prompt and what follows.
    private func answer(
        _ receiver: AgentCache, _ stages: [String: Double], before: [Int32] = [], started: Int64
    ) throws -> (row: Row, tokens: [Int32]) {
        var watch = StageWatch()
        var tokens = [engine.greedy(try engine.prefill(receiver, before + query), row: 0)]
        let forward = watch.lap()
        try go(on: receiver, &tokens)
        let generate = watch.lap()
        let handover = stages.values.reduce(0, +)
        var row: Row = [
            "context_tokens": .int(Int64(context)), "new_tokens": .int(Int64(query.count)), "forward_seconds": .double(forward),
            "ttft_seconds": .double(handover + forward), "generate_seconds": .double(generate),
            "handover_seconds": .double(handover), "path_seconds": .double(handover + forward + generate), "output_tokens": .int(Int64(outputTokens)),
            "same_tokens": .int(-1), "peak_rss_bytes": .int(Int64(ProcessFacts.peakResidentBytes())),
            "started_at_ns": .int(started),
        ]
        for stage in ["make", "write", "transfer", "read", "verify", "inject"] {
            row["\(stage)_seconds"] = .double(stages[stage] ?? .nan)
        }
        return (row, tokens)
    }

    private func go(on cache: AgentCache, _ tokens: inout [Int32]) throws {
        while tokens.count < outputTokens { tokens.append(try engine.decode(cache, tokens.last!)) }
    }

    /// The rows of `samples`: each with the TTFT of the prefill that stands for it, and with whether its tokens are those
    /// that the sender's own cache gives. The senders' contexts are longer then.
    func rows(_ samples: [Sample]) throws -> [Row] {
        let expected = try senders.map { sender in
            var tokens = [engine.greedy(try engine.prefill(sender, query), row: 0)]
            try go(on: sender, &tokens)
            return tokens
        }
        return samples.map { sample in
            var row = sample.row
            let prefill = samples.first { $0.row["way"] == .string("prefill") && $0.row["own_tokens"] == row["own_tokens"] }
            row["prefill_seconds"] = prefill?.row["ttft_seconds"] ?? .double(.nan)
            if let (sender, tokens) = sample.comparison {
                row["same_tokens"] = .int(tokens == expected[sender] ? 1 : 0)
            }
            return row
        }
    }

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }
}
