import Experiments
import Results
import Testing

/// Small runs of the experiments that serve several agents.
@Suite(.serialized) struct AgentExperimentsTests {
    /// The tiny shape with a row for every token of the checkpoint that comes with kvlab.
    private static let wideVocabulary = """
        {"model_type": "llama", "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64, "vocab_size": 4096,
         "max_position_embeddings": 4096, "rope_theta": 500000.0, "tie_word_embeddings": true}
        """

    private func rows(
        _ name: String, _ settings: String, overrides: [String] = [], shape: String? = nil
    ) throws -> [Row] {
        let lab = try RunnerTests.Lab()
        if let shape { try lab.write("experiments/shapes/tiny.json", shape) }
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

    private static let routing =
        "weights: [datasets/checkpoints/llama-mini], articles: datasets/articles, tokenizer: datasets/checkpoints/llama-mini, "
        + "contexts: [200], passes: 1, output_tokens: 6, page_cache: dropped, "

    /// Every expert is fresh, then found on disk, then in memory, and finds all that it heard and said but its last token.
    @Test func routing() throws {
        let rows = try rows(
            "routing", Self.routing + "experts: 5, queries: 2, repeats: 1", shape: Self.wideVocabulary)
        // A shape and a checkpoint.
        #expect(rows.count == 2 * (5 + 2 * 3 + 1))
        var known: [String: Int] = [:]
        for row in rows {
            let (state, role) = (text(row, "state"), text(row, "mode"))
            let source = role == "reporter" ? ["fresh", "hot"] : ["1": ["fresh"], "2": ["restored"], "3": ["hot"]][state.prefix(1)]
            #expect(source?.contains(text(row, "source")) == true, "\(state)")
            let agent = text(row, "shape") + text(row, "agent")
            #expect(int(row, "hit_tokens") == max(0, (known[agent] ?? 0) - 1))
            known[agent] = int(row, "prompt_tokens") + int(row, "output_tokens")
            let isTrained = text(row, "shape") == "llama-mini"
            #expect(isTrained == ["passed", "failed"].contains(text(row, "gate")))
            #expect(double(row, "start_seconds") >= 0)
            if state.hasPrefix("1") { #expect((200...230).contains(int(row, "prompt_tokens"))) }
        }
        #expect(known.count == 2 * 6)
    }

    @Test func routingRefusesWhatItCannotRun() throws {
        func message(_ settings: String, shape: String? = nil) -> String {
            do {
                _ = try rows("routing", settings, shape: shape)
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message(Self.routing + "experts: 4, queries: 3, repeats: 0", shape: Self.wideVocabulary)
                .hasSuffix("'queries' is 3: with two experts each, 4 experts are asked more than once."))
        #expect(
            message(Self.routing + "experts: 99, queries: 3, repeats: 0", shape: Self.wideVocabulary)
                .hasSuffix("'experts' is 99, and there are 10 articles."))
        #expect(
            message(Self.routing + "experts: 4, queries: 1, repeats: 2", shape: Self.wideVocabulary)
                .hasSuffix("'repeats' is 2, and there are 1 queries to repeat."))
        #expect(
            message(Self.routing + "experts: 4, queries: 1, repeats: 0")
                .hasSuffix("'tokenizer' has 4096 ids, more than the 512 of tiny."))
        let nowhere = Self.routing.replacingOccurrences(of: "datasets/articles", with: "Tests")
        #expect(message(nowhere).contains("/questions.yaml: there is no such file, or it is not UTF-8 text."))
    }

    @Test func qualityGate() {
        #expect(QualityGate.passes("The cat sat on the mat.", tokens: 8, of: 16))
        #expect(!QualityGate.passes("The cat sat on the mat.", tokens: 7, of: 16))
        #expect(!QualityGate.passes("  ", tokens: 16, of: 16))
        #expect(!QualityGate.passes(String(repeating: "x", count: 21), tokens: 16, of: 16))
        #expect(QualityGate.passes(String(repeating: "a b c d ", count: 5), tokens: 16, of: 16))
        #expect(!QualityGate.passes(String(repeating: "a b c d ", count: 6), tokens: 16, of: 16))
    }

    /// Each component with and without in every pass; without quantization the budget holds what it was made for.
    @Test func ablation() throws {
        let rows = try rows(
            "ablation",
            "persistence_context: 600, capacity_context: 300, budget_agents: 4, batching_context: 300, scene_tokens: 40, "
                + "passes: 2, output_tokens: 4")
        #expect(rows.count == 2 * 4 * 2)
        func values(_ component: String, _ isOn: Int) -> [Double] {
            rows.filter { text($0, "component") == component && int($0, "enabled") == isOn }.map { double($0, "value") }
        }
        for component in ["persistence", "q4 vs fp16", "batching", "cross-phase"] {
            for isOn in 0...1 {
                #expect(values(component, isOn).count == 2)
                #expect(values(component, isOn).allSatisfy { $0 > 0 && $0.isFinite })
            }
        }
        #expect(values("q4 vs fp16", 0) == [4, 4])
        #expect(values("q4 vs fp16", 1).allSatisfy { $0 >= 14 })
    }

    /// The decoder's context is found on disk in both modes; saves happen in one of them only.
    @Test func saving() throws {
        let rows = try rows("saving", "contexts: [300], passes: 2, output_tokens: 20")
        #expect(rows.count == 4)
        for row in rows {
            #expect(text(row, "agent").hasPrefix("decoder") && int(row, "hit_tokens") == 299)
            #expect(int(row, "output_tokens") == 20)
            #expect(double(row, "p95_step_seconds") >= double(row, "decode_step_seconds"))
            #expect((int(row, "saves") > 0) == (text(row, "mode") == "saving"))
        }
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
