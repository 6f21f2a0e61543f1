import Experiments
import Results
import Testing

/// A small run of `topologies`: who hands how much to whom.
@Suite struct TopologiesExperimentTests {
    @Test func whatMoves() throws {
        let lab = try RunnerTests.Lab()
        try lab.write(
            "experiments/topologies.yaml",
            """
            experiment: topologies
            title: A small run
            profiles:
              quick: {models: [tiny/1], topologies: [chain, star, debate, tree], schemes: [affine-q4-g64, fp16],
                      medium: memory, agents: 5, part_tokens: 20, new_tokens: 5, output_tokens: 3, passes: 1, seed: 1}
            """)
        let table = try #require(try lab.run(["topologies"]).file.table("topologies"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        #expect(rows.count == 4 * 3)
        func whole(_ row: Row, _ key: String) -> Int {
            guard case .int(let value) = row[key] else { return -1 }
            return Int(value)
        }
        // A turn leaves five tokens of its prompt and two of its three own: the last one is said and not read.
        let turn = 5 + 2
        let expected: [String: (handoffs: Int, tokens: Int)] = [
            "chain": (4, 20 + (40 + turn) + (60 + 2 * turn) + (80 + 3 * turn)),
            "star": (4, 4 * 20),
            "debate": (20, 20 * 20),
            // 3 and 4 to 1, then 1 and 2 to 0.
            "tree": (4, 2 * 20 + (60 + turn) + 20),
        ]
        for row in rows {
            guard case .string(let topology) = row["topology"], case .string(let way) = row["way"],
                case .double(let seconds) = row["answer_seconds"], let moved = expected[topology]
            else { Issue.record("\(row)"); continue }
            #expect(whole(row, "handoffs") == moved.handoffs, "\(topology)")
            #expect(whole(row, "moved_tokens") == moved.tokens, "\(topology)")
            let stages = ["make", "move", "take", "forward", "generate"].compactMap { stage -> Double? in
                guard case .double(let value) = row["\(stage)_seconds"] else { return nil }
                return value
            }
            #expect(stages.count == 5 && abs(stages.reduce(0, +) - seconds) < 1e-9)
            // Keys and values of one head of 64 elements, and what a card says besides.
            let perToken = way == "prefill" ? 4 : row["scheme"] == .string("fp16") ? 2 * 128 : 2 * 36
            let bytes = whole(row, "moved_bytes")
            #expect(way == "prefill" ? bytes == perToken * moved.tokens : bytes > perToken * moved.tokens)
        }
        #expect(throws: ExperimentsError.self) { try lab.run(["topologies"], overrides: ["part_tokens=4000"]) }
        #expect(throws: ExperimentsError.self) { try lab.run(["topologies"], overrides: ["topologies=[ring]"]) }
    }
}
