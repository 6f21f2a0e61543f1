import Experiments
import Results
import Testing

/// Small runs of the experiments that serve several agents.
@Suite(.serialized) struct AgentExperimentsTests {
    private func rows(_ name: String, _ settings: String, overrides: [String] = []) throws -> [Row] {
        let lab = try RunnerTests.Lab()
        try lab.write(
            "experiments/\(name).yaml",
            """
            experiment: \(name)
            title: A small run
            profiles:
              quick: {shapes: [tiny], schemes: [affine-q4-g64], seed: 1, \(settings)}
            """)
        let directory = try lab.run([name], overrides: overrides)
        let table = try #require(directory.file.table(name))
        return (0..<table.rowCount).map { table.row($0) }
    }

    private func text(_ row: Row, _ key: String) -> String {
        if case .string(let text) = row[key] { text } else { "" }
    }

    private func int(_ row: Row, _ key: String) -> Int {
        if case .int(let value) = row[key] { Int(value) } else { -1 }
    }

    private func double(_ row: Row, _ key: String) -> Double {
        if case .double(let value) = row[key] { value } else { .nan }
    }

    @Test func batched() throws {
        let rows = try rows(
            "batched",
            "contexts: [300], passes: 2, batches: [1, 3], states: [cold, warm, hot], extend_tokens: 5, output_tokens: 4")
        // Two passes, three states, one agent and three.
        #expect(rows.count == 2 * 3 * 4)
        for row in rows {
            let state = text(row, "state")
            #expect(int(row, "hit_tokens") == ["cold": 0, "warm": 299, "hot": 300][state])
            #expect(text(row, "match") == ["cold": "none", "warm": "exact", "hot": "extend"][state])
            #expect(int(row, "output_tokens") == 4)
            #expect(text(row, "mode") == (int(row, "batch") == 1 ? "alone" : "together"))
            #expect(["cold": ["fresh"], "warm": ["restored", "prefetched"], "hot": ["hot"]][state]!.contains(text(row, "source")))
            #expect(double(row, "wall_seconds") >= double(row, "total_seconds") * 0.5)
            #expect(double(row, "ttft_seconds") <= double(row, "total_seconds"))
        }
    }

    @Test func staggered() throws {
        let rows = try rows(
            "staggered", "contexts: [400], passes: 2, output_tokens: 6, delay_seconds: 0.002, prefill_tokens: 128")
        #expect(rows.count == 2 * 2 * 2)
        #expect(Set(rows.map { text($0, "mode") }) == ["sequential", "batched"])
        for row in rows {
            #expect(text(row, "match") == "none" && int(row, "hit_tokens") == 0)
            #expect(double(row, "wall_seconds") + 0.01 >= double(row, "total_seconds"))
        }
    }

    /// Every mode serves every turn; what is persisted is not computed again, whatever was evicted meanwhile.
    @Test func thrash() throws {
        let rows = try rows(
            "thrash",
            "contexts: [600], passes: 1, agents: 5, budget_agents: 1, rounds: 2, output_tokens: 6, new_tokens: 7, "
                + "page_cache: resident")
        #expect(rows.count == 4 * 2 * 5)
        for mode in Set(rows.map { text($0, "mode") }) {
            let own = rows.filter { text($0, "mode") == mode }
            #expect(own.count == 10)
            if mode == "fp16 re-prefill" {
                #expect(own.allSatisfy { text($0, "source") == "fresh" && int($0, "hit_tokens") == 0 })
            } else {
                #expect(own.allSatisfy { int($0, "prompt_tokens") - int($0, "hit_tokens") <= 8 }, "\(mode)")
                #expect(own.contains { text($0, "source") != "hot" }, "\(mode)")
            }
            #expect(own.contains { text($0, "source") == "prefetched" } == (mode == "affine-q4-g64 persisted, prefetched"))
        }
    }

    /// 25 turns in both modes; what an agent heard and said before is found in its cache, all but its last token.
    @Test func phases() throws {
        let rows = try rows("phases", "contexts: [50], passes: 1, output_tokens: 4")
        #expect(rows.count == 2 * 25)
        var known: [String: Int] = [:]
        for row in rows where text(row, "mode") == "persistent" {
            let agent = text(row, "agent")
            #expect(int(row, "hit_tokens") == max(0, (known[agent] ?? 0) - 1))
            known[agent] = int(row, "prompt_tokens") + 4
        }
        #expect(known.count == 4)
        let cold = rows.filter { text($0, "mode") == "cold" }
        #expect(cold.allSatisfy { int($0, "hit_tokens") == 0 && text($0, "source") == "fresh" })
        let counts = ["1 interrogation A", "2 interrogation B", "3 the yard", "4 final reckoning", "5 verdict"].map { phase in
            cold.count { text($0, "state") == phase }
        }
        #expect(counts == [6, 6, 4, 6, 3])
    }

    @Test func badSettings() throws {
        #expect(throws: ExperimentsError.self) {
            try rows(
                "thrash",
                "contexts: [600], passes: 1, agents: 2, budget_agents: 2, rounds: 1, output_tokens: 6, new_tokens: 7, "
                    + "page_cache: resident")
        }
        let error = ExperimentsError.turnFailed(agent: "anna", reason: "The prompt has no tokens.")
        #expect("\(error)" == "The turn of anna failed, so the cell has no result. The prompt has no tokens.")
    }
}
