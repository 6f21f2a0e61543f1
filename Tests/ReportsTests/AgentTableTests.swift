import Reports
import Results
import Testing

/// Tables of agents that are served together: T4, F3, thrash.
@Suite struct AgentTableTests {
    private func table(_ id: String, _ results: ResultsFile) throws -> ReportTable {
        let definition = try #require(tableDefinitions.first { $0.id == id })
        let input = ReportInput(
            results: results, published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
        return try #require(try definition.tables(input).first)
    }

    private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> ReportTable.Cell {
        table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
    }

    /// Rates are of all agents of a run, gains are taken within the pass, and two agents are held against the paper's.
    @Test func batched() throws {
        var rows: [Row] = []
        for pass in 1...3 {
            // A machine that slows down from pass to pass.
            let drift = Double(pass)
            rows.append(AgentRows.turn(state: "warm", pass: pass, order: pass * 10, wall: 2 * drift))
            for agent in ["A", "B"] {
                rows.append(AgentRows.turn(state: "warm", pass: pass, order: pass * 10 + 1, batch: 2, agent: agent, wall: 2.5 * drift))
            }
        }
        let table = try table("T4", try AgentRows.results("batched", rows))
        #expect(table.id == "T4-tiny" && table.rows.count == 2)
        #expect(try cell(table, 0, "system_tps_here").estimate?.value == 2.5)
        #expect(try cell(table, 1, "system_tps_here").estimate?.value == 4)
        let gain = try #require(try cell(table, 1, "gain_here").estimate)
        #expect(abs(gain.value - 1.6) < 1e-12 && abs(gain.low - 1.6) < 1e-12 && gain.sampleCount == 3)
        #expect(try cell(table, 1, "gain_paper").number == 37.8 / 18.9)
        #expect(try cell(table, 1, "verdict") == .verdict(.reproduced))
        #expect(try cell(table, 0, "verdict") == .missing("one agent alone is what the gain is measured against"))
    }

    @Test func staggered() throws {
        var rows: [Row] = []
        for pass in 1...2 {
            for (order, mode) in ["sequential", "batched"].enumerated() {
                for agent in ["A", "B"] {
                    rows.append(
                        AgentRows.turn(
                            mode: mode, pass: pass, order: pass * 10 + order, batch: 2, agent: agent,
                            ttft: agent == "A" ? 3 : 5, total: 9, wall: (mode == "batched" ? 8 : 10) * Double(pass)))
                }
            }
        }
        let table = try table("F3", try AgentRows.results("staggered", rows))
        #expect(table.rows.count == 2)
        #expect(try cell(table, 0, "mode") == .text("sequential"))
        #expect(try cell(table, 1, "share_here").estimate?.value == 0.8)
        #expect(try cell(table, 1, "share_paper").number == 1)
        #expect(try cell(table, 1, "b_ttft_paper_s").number == 20.2)
        #expect(try cell(table, 1, "b_wait_here_s").estimate?.value == 9)
        #expect(try cell(table, 1, "verdict") == .verdict(.reproduced))
    }

    @Test func thrash() throws {
        let rows = (0..<20).flatMap { index in
            [
                AgentRows.turn(mode: "fp16 re-prefill", order: index, batch: 10, ttft: 10, scheme: "fp16"),
                AgentRows.turn(
                    mode: "affine-q4-g64 persisted, prefetched", order: 100 + index, batch: 10,
                    source: index < 5 ? "hot" : "prefetched", ttft: index == 19 ? 2 : 0.5, load: index < 5 ? 0 : 0.2,
                    exposed: index == 19 ? 0.2 : 0),
            ]
        }
        let table = try table("thrash", try AgentRows.results("thrash", rows))
        #expect(table.rows.count == 2)
        #expect(try cell(table, 0, "mode") == .text("affine-q4-g64 persisted, prefetched"))
        #expect(abs(try #require(try cell(table, 0, "hidden").number) - 14.0 / 15) < 1e-12)
        #expect(try cell(table, 0, "in_memory").number == 0.25)
        #expect(try cell(table, 0, "ttft_max_s").number == 2)
        #expect(try #require(try cell(table, 0, "speedup_p95").number) > 15)
        #expect(try cell(table, 1, "hidden") == .missing("nothing is loaded"))
    }

    /// Means are of a phase's turns, gains within the pass; the paper's milliseconds become seconds.
    @Test func phases() throws {
        let rows = (1...2).flatMap { pass in
            ["1 interrogation A", "5 verdict"].flatMap { phase in
                [("cold", 3.0), ("cold", 5.0), ("persistent", 1.0), ("persistent", 3.0)].enumerated().map { order, turn in
                    AgentRows.turn(
                        mode: turn.0, state: phase, pass: pass, order: pass * 100 + order, ttft: turn.1 * Double(pass),
                        total: 10, hit: turn.0 == "cold" ? 0 : 900, model: "gemma3-12b")
                }
            }
        }
        let table = try table("T7", try AgentRows.results("phases", rows))
        #expect(table.rows.count == 3)
        #expect(try cell(table, 0, "gain_here").estimate?.value == 2)
        #expect(try cell(table, 0, "hit_share").number == 0.9)
        #expect(try cell(table, 1, "cold_paper_s").number == 3.292)
        #expect(try cell(table, 1, "verdict") == .verdict(.reproduced))
        #expect(try cell(table, 2, "phase") == .text("total wall"))
        #expect(try cell(table, 2, "gain_here").estimate?.value == 1)
        #expect(try cell(table, 2, "cold_paper_s").number == 72.9)
        #expect(try cell(table, 2, "verdict") == .verdict(.differs))
    }

    /// Speed-ups are of a pass's means over its priming; gates are counted over all passes, and only where one was asked.
    @Test func routing() throws {
        func rows(context: Int) -> [Row] {
            (1...2).flatMap { pass in
                let drift = Double(pass)
                return [
                    AgentRows.turn(mode: "expert", state: "1 priming (cold)", pass: pass, order: 0, ttft: 30 * drift, model: "gemma3-12b", context: context, gate: "failed"),
                    AgentRows.turn(mode: "expert", state: "1 priming (cold)", pass: pass, order: 1, ttft: 10 * drift, model: "gemma3-12b", context: context, gate: "passed"),
                    AgentRows.turn(mode: "expert", state: "2 queries (warm)", pass: pass, order: 2, ttft: drift, hit: 900, model: "gemma3-12b", context: context, gate: "passed"),
                    AgentRows.turn(mode: "reporter", state: "2 queries (warm)", pass: pass, order: 3, ttft: 2 * drift, model: "gemma3-12b", context: context, gate: "passed"),
                    AgentRows.turn(mode: "expert", state: "3 repeated (hot)", pass: pass, order: 4, ttft: 4 * drift, model: "gemma3-12b", context: context, gate: "not asked"),
                ]
            }
        }
        let table = try table("T8", try AgentRows.results("routing", rows(context: 3072)))
        #expect(table.rows.count == 4)
        #expect(try cell(table, 0, "ttft_here_s").estimate?.value == 30)
        #expect(try cell(table, 0, "ttft_paper_s").number == 20.514)
        #expect(try cell(table, 0, "gate_here") == .text("2/4") && cell(table, 0, "gate_paper") == .text("8/10"))
        #expect(try cell(table, 1, "speedup_here").estimate?.value == 20)
        #expect(try cell(table, 1, "speedup_paper").number == 20.514 / 0.847)
        #expect(try cell(table, 1, "hit_share").number == 0.9)
        #expect(try cell(table, 1, "verdict") == .verdict(.reproduced))
        #expect(try cell(table, 2, "verdict") == .missing("the paper times no reporter"))
        #expect(try cell(table, 3, "speedup_here").estimate?.value == 5)
        #expect(try cell(table, 3, "verdict") == .verdict(.differs))
        #expect(try cell(table, 3, "gate_here") == .missing("synthetic weights say nothing"))
        let short = try self.table("T8", try AgentRows.results("routing", rows(context: 512)))
        #expect(try cell(short, 1, "verdict") == .verdict(.notRunnable(reason: "articles are cut below the paper's 2000 tokens")))
    }

    /// Effects of times are without ÷ with, of the rest with ÷ without, within the pass.
    @Test func ablation() throws {
        let strings = ["shape", "paper_model", "weights", "scheme", "component", "metric", "unit", "isa"]
        let schema = TableSchema(
            name: "ablation", title: "ablation",
            columns: strings.map { ColumnSchema($0, .string, $0) }
                + ["pass", "enabled", "context_tokens", "threads"].map { ColumnSchema($0, .int, $0) }
                + [ColumnSchema("value", .double, "value")])
        func row(_ component: String, _ unit: String, _ pass: Int, _ isOn: Bool, _ value: Double, _ model: String) -> Row {
            [
                "shape": .string("tiny"), "paper_model": .string(model), "weights": .string("synthetic"),
                "scheme": .string("affine-q4-g64"), "component": .string(component), "metric": .string("what"),
                "unit": .string(unit), "isa": .string("avx2"), "pass": .int(Int64(pass)), "enabled": .int(isOn ? 1 : 0),
                "context_tokens": .int(4096), "threads": .int(2), "value": .double(value),
            ]
        }
        func table(model: String) throws -> ReportTable {
            let rows = (1...2).flatMap { pass in
                let drift = Double(pass)
                return [
                    row("batching", "1/s", pass, true, 30 * drift, model), row("batching", "1/s", pass, false, 20 * drift, model),
                    row("persistence", "s", pass, true, 0.5 * drift, model), row("persistence", "s", pass, false, 20 * drift, model),
                    row("q4 vs fp16", "1", pass, true, 4, model), row("q4 vs fp16", "1", pass, false, 0, model),
                ]
            }
            return try self.table("T6", SampleRun.file([try SampleRun.table(schema, rows)]))
        }
        let own = try table(model: "gemma3-12b")
        #expect(own.rows.count == 3)
        // In the paper's order.
        #expect(try cell(own, 0, "component") == .text("persistence") && cell(own, 0, "metric") == .text("what (ms)"))
        #expect(try cell(own, 0, "with_here").estimate?.value == 750)
        #expect(try cell(own, 0, "effect_here").estimate?.value == 40)
        #expect(try cell(own, 0, "effect_paper").number == 15736.0 / 577)
        #expect(try cell(own, 0, "verdict") == .verdict(.reproduced))
        #expect(try cell(own, 1, "effect_here") == .missing("nothing fits without the component"))
        #expect(try cell(own, 2, "effect_here").estimate?.value == 1.5)
        #expect(try cell(own, 2, "verdict") == .verdict(.differs))
        let other = try table(model: "llama3.1-8b")
        #expect(try cell(other, 0, "verdict") == .missing("the paper's ablation is of Gemma 3 12B only"))
        #expect(try cell(other, 0, "effect_here").estimate?.value == 40)
    }

    /// Ratios are within the pass; the bound asks for the whole interval.
    @Test func saving() throws {
        func table(slowest: Double) throws -> ReportTable {
            let rows = (1...3).flatMap { pass in
                [("saving", pass == 3 ? slowest : 1.05), ("not saving", 1)].map { mode, factor in
                    var row = AgentRows.turn(mode: mode, pass: pass, order: pass * 10, agent: "decoder, \(mode)")
                    row["decode_step_seconds"] = .double(0.01 * Double(pass) * factor)
                    row["p95_step_seconds"] = .double(0.02 * factor)
                    row["longest_step_seconds"] = .double(0.03 * factor)
                    row["saves"] = .int(mode == "saving" ? 7 : 0)
                    return row
                }
            }
            let steps = ["decode_step_seconds", "p95_step_seconds", "longest_step_seconds"]
            let more = steps.map { ColumnSchema($0, .double, units: "s", $0) } + [ColumnSchema("saves", .int, "saves")]
            return try self.table("saving", AgentRows.results("saving", rows, more: more))
        }
        let held = try table(slowest: 1.08)
        #expect(held.rows.count == 1)
        #expect(abs(try #require(try cell(held, 0, "median_ratio").estimate?.value) - 1.05) < 1e-12)
        #expect(try cell(held, 0, "step_alone_s").estimate?.value == 0.02)
        #expect(try cell(held, 0, "saves").number == 7)
        #expect(try cell(held, 0, "bound") == .text("holds"))
        #expect(try cell(table(slowest: 1.2), 0, "bound") == .text("does not hold"))
    }
}
