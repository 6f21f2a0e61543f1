import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Agents that each hold a part of a text, on one machine, one after another.
///
/// In a round those who hand over do so, and then each who got something takes a turn: it computes a prompt and says some
/// tokens. The parts are synthetic rows, which lie there before the time starts.
struct TopologyBench {
    let engine: Engine
    let folder: String
    let agents: Int
    let partTokens: Int
    let prompt: [Int32]
    let outputTokens: Int
    let medium: HandoffMedium
    let seed: UInt64

    /// How what one holds comes to another.
    enum Way {
        /// As a card, in the caches' scheme.
        case card
        /// As tokens, of which the receiver computes keys and values again.
        case prefill
    }

    /// Seconds of all agents together.
    private struct Clock {
        private let clock = ContinuousClock()
        private(set) var seconds: [String: Double] = ["make": 0, "move": 0, "take": 0, "forward": 0, "generate": 0]

        mutating func add(_ stage: String, _ more: Double) { seconds[stage]! += more }

        mutating func time<T>(_ stage: String, _ body: () throws -> T) rethrows -> T {
            let start = clock.now
            defer { add(stage, (clock.now - start).seconds) }
            return try body()
        }
    }

    /// One answer: of agent 0 in a star and a tree, of the last in a chain, of all in a debate.
    func answer(_ topology: Topology, scheme: String, _ way: Way) throws -> Row {
        let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: scheme))
        let context = try SyntheticContext(layout: layout, seed: seed, execution: engine.execution)
        let caches = try (0..<agents).map { agent in
            let cache = AgentCache(agent: "agent \(agent)", layout: layout, pool: BlockPool(budgetBytes: .max))
            try context.fill(cache, to: partTokens)
            return cache
        }
        let started = Int64(Date().timeIntervalSince1970 * 1e9)
        var clock = Clock()
        var (handoffs, movedTokens, movedBytes) = (0, 0, 0)
        for round in topology.rounds(agents: agents) {
            // What they hold before anybody got anything in this round.
            var cards: [Int: CacheCard] = [:]
            let held = caches.map { Array($0.tokens) }
            if way == .card {
                for from in Set(round.map(\.from)).sorted() {
                    cards[from] = try clock.time("make") { try engine.card(of: caches[from]) }
                }
            }
            for to in Set(round.map(\.to)).sorted() {
                var again: [Int32] = []
                for from in round.filter({ $0.to == to }).map(\.from) {
                    handoffs += 1
                    movedTokens += held[from].count
                    guard let card = cards[from] else {
                        again += held[from]
                        movedBytes += held[from].count * MemoryLayout<Int32>.size
                        continue
                    }
                    movedBytes += card.bytes.count
                    let arrival = try medium.carry(card, folder: folder, workers: engine.execution.workers)
                    clock.add("move", arrival.seconds.values.reduce(0, +))
                    try clock.time("take") {
                        try engine.inject(arrival.card.open(workers: engine.execution.workers), into: caches[to])
                    }
                }
                let logits = try clock.time("forward") { try engine.prefill(caches[to], again + prompt) }
                try clock.time("generate") {
                    var token = engine.greedy(logits, row: 0)
                    for _ in 1..<outputTokens { token = try engine.decode(caches[to], token) }
                }
            }
        }
        var row: Row = [
            "topology": .string(topology.rawValue), "scheme": .string(layout.scheme.description),
            "way": .string(way == .card ? medium.rawValue : "prefill"), "agents": .int(Int64(agents)),
            "part_tokens": .int(Int64(partTokens)), "new_tokens": .int(Int64(prompt.count)),
            "output_tokens": .int(Int64(outputTokens)), "handoffs": .int(Int64(handoffs)),
            "moved_tokens": .int(Int64(movedTokens)), "moved_bytes": .int(Int64(movedBytes)),
            "answer_seconds": .double(clock.seconds.values.reduce(0, +)), "started_at_ns": .int(started),
        ]
        for (stage, seconds) in clock.seconds { row["\(stage)_seconds"] = .double(seconds) }
        return row
    }
}
