import CKernels
import Experiments
import Foundation
import Models
import Results
import Tensors
import Testing

/// Small runs of the real experiments, in a folder of their own.
@Suite struct RunnerTests {
    final class Lab {
        let root = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        let execution = Execution(workers: WorkerPool(threads: 2))
        var results: String { root + "/results" }

        init() throws {
            try FileManager.default.createDirectory(atPath: root + "/experiments/shapes", withIntermediateDirectories: true)
            try write(
                "experiments/shapes/tiny.json",
                """
                {"model_type": "llama", "stands_for": "llama3.1-8b", "hidden_size": 128, "intermediate_size": 256,
                 "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64,
                 "vocab_size": 512, "max_position_embeddings": 4096, "rope_theta": 500000.0, "tie_word_embeddings": true}
                """)
            try write(
                "experiments/ttft.yaml",
                """
                experiment: ttft
                title: Time to first token
                profiles:
                  quick:
                    shapes: [tiny]
                    schemes: [affine-q4-g64]
                    contexts: [64, 300]
                    passes: 2
                    output_tokens: 6
                    extend_tokens: 5
                    page_cache: [resident, dropped]
                    context_rows: computed
                    seed: 1
                """)
            try write(
                "experiments/capacity.yaml",
                """
                experiment: capacity
                title: Agents per budget
                profiles:
                  quick:
                    shapes: [tiny]
                    schemes: [fp16, affine-q4-g64]
                    contexts: [256, 1000]
                    window_policies: [full]
                    mla_forms: [expanded]
                    budgets: [1 GiB]
                    measured_budgets: [8 MiB]
                    measured_contexts: [256, 1000]
                    seed: 1
                """)
            try write(
                "experiments/speed.yaml",
                """
                experiment: speed
                title: Speed
                profiles:
                  quick:
                    models: [tiny/2]
                    schemes: [fp16, affine-q4-g64]
                    prompts: [40]
                    depths: [0, 300]
                    batches: [1, 3]
                    batch_depth: 100
                    generate: 2
                    passes: 2
                    seed: 1
                """)
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
        }

        func run(
            _ names: [String], overrides: [String] = [], resume: Bool = false, on event: @escaping (Runner.Event) -> Void = { _ in }
        ) throws -> RunDirectory {
            var request = Runner.Request(
                files: try names.map { try ExperimentFile(path: "\(root)/experiments/\($0).yaml") }, profile: "quick",
                resultsFolder: results, arguments: ["test"])
            request.overrides = overrides
            request.resume = resume
            return try Runner(
                request: request, execution: execution, files: ProjectFiles(root: root), report: event
            ).run()
        }
    }

    @Test func ttft() throws {
        let lab = try Lab()
        let directory = try lab.run(["ttft"])
        let table = try #require(directory.file.table("ttft"))
        // Two contexts, two passes: cold once; hot and warm from both states of the page cache, exact and extended.
        #expect(table.rowCount == 2 * 2 * (1 + 2 + 4))
        let rows = (0..<table.rowCount).map { table.row($0) }
        for row in rows {
            guard case .string(let state) = row["state"], case .string(let variant) = row["variant"],
                case .int(let context) = row["context_tokens"], case .int(let new) = row["new_tokens"]
            else { Issue.record("a row without state"); continue }
            let extended = variant == "extend" ? 5 : 0
            #expect([64, 300].contains(context - Int64(extended)))
            #expect(new == (state == "cold" ? context : Int64(max(1, extended))))
            #expect(row["scheme"] == .string("affine-q4-g64"))
            // A cache that was saved, evicted and loaded gives the tokens of the one that never left memory.
            #expect(row["same_tokens"] == .int(state == "cold" ? -1 : 1))
            guard case .double(let ttft) = row["ttft_seconds"] else { continue }
            #expect(ttft > 0 && ttft < 60)
        }
        #expect(Set(directory.file.finishedCells.map(\.name)).count == 4)
        #expect(directory.file.finishedCells.allSatisfy { $0.seconds > 0 && $0.seconds < 60 })
        #expect(directory.file.run.finishedAtNanoseconds != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.results).filter { $0.hasPrefix(".caches") } == [])
    }

    /// Warm and hot requests on a context of random rows: no cold one, and the tokens of the cache that was never saved.
    @Test func ttftOnRandomRows() throws {
        let file = try Lab().run(["ttft"], overrides: ["context_rows=random", "passes=1"]).file
        let table = try #require(file.table("ttft"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        #expect(rows.count == 2 * 6)
        for row in rows {
            #expect(row["state"] != .string("cold") && row["same_tokens"] == .int(1))
            let hits: Int64 = row["context_tokens"] == .int(64) || row["context_tokens"] == .int(69) ? 64 : 300
            #expect(row["hit_tokens"] == .int(row["variant"] == .string("exact") ? hits - 1 : hits))
        }
    }

    @Test func capacityMeasuredEqualsComputed() throws {
        let lab = try Lab()
        let table = try #require(try lab.run(["capacity"]).file.table("capacity"))
        let measured = (0..<table.rowCount).map { table.row($0) }.filter { $0["agents_measured"] != .int(-1) }
        #expect(measured.count == 4)
        for row in measured {
            #expect(row["agents_measured"] == row["agents_computed"])
            #expect(row["bytes_per_agent_measured"] == row["bytes_per_agent_computed"])
        }
        // 256 tokens, 2 layers, K and V, one head of 64 elements at 16 and at 4.5 bits.
        let budget: Int64 = 8 << 20
        let rows: Int64 = 256 * 2 * 2
        #expect(measured[0]["agents_measured"] == .int(budget / (rows * 128)))
        #expect(measured[1]["agents_measured"] == .int(budget / (rows * 36)))
    }

    @Test func speed() throws {
        let lab = try Lab()
        let file = try lab.run(["speed"]).file
        let table = try #require(file.table("speed"))
        // A prompt, two depths and two batches, in two schemes and two passes.
        #expect(table.rowCount == 5 * 2 * 2)
        for row in (0..<table.rowCount).map({ table.row($0) }) {
            for name in ["tokens_per_second", "operations_per_second", "bytes_per_second"] {
                guard case .double(let value) = row[name] else { Issue.record("no \(name)"); continue }
                #expect(value.isFinite && value > 0)
            }
        }
        let ceilings = try #require(file.table("ceilings"))
        let kinds = (0..<ceilings.rowCount).map { ceilings.row($0)["kind"] }
        #expect(kinds.filter { $0 == .string("memory read") }.count == 2)
        #expect(kinds.filter { $0 == .string("parallel region") }.count == 2)
        #expect(throws: ExperimentsError.self) { try lab.run(["speed"], overrides: ["models=[tiny]"]) }
        #expect(throws: ExperimentsError.self) { try lab.run(["speed"], overrides: ["depths=[5000]"]) }
    }

    /// A run that stops in the middle goes on after the cells it finished, and ends with the cells of one that did not.
    @Test func resumes() throws {
        let lab = try Lab()
        // The folder of cache files turns into a file after two cells, so that the third one fails.
        var finished: [String] = []
        var folder = ""
        #expect(throws: (any Error).self) {
            _ = try lab.run(["ttft"]) { event in
                switch event {
                case .opened(let path, _, _, _): folder = path
                case .finished(let cell, _, _, _, _):
                    finished.append(cell)
                    if finished.count == 2 {
                        let caches = (try? FileManager.default.contentsOfDirectory(atPath: lab.results))?.first { $0.hasPrefix(".caches") }
                        try? FileManager.default.removeItem(atPath: "\(lab.results)/\(caches ?? "")")
                        try? lab.write("results/\(caches ?? "")", "in the way")
                    }
                default: break
                }
            }
        }
        #expect(finished.count == 2)
        let half = try ResultsFile.read(from: folder + "/results.h5")
        #expect(half.finishedCells.map(\.name) == finished && half.run.finishedAtNanoseconds == nil)

        // Other settings are another run.
        let other = try lab.run(["ttft"], overrides: ["contexts=[64]", "passes=1"], resume: true)
        #expect(other.path != folder && other.file.finishedCells.count == 1)

        var before = 0
        let resumed = try lab.run(["ttft"], resume: true) { event in
            if case .opened(_, let done, _, _) = event { before = done }
        }
        #expect(resumed.path == folder && before == 2)
        #expect(Set(resumed.file.finishedCells.map(\.name)).count == 4 && resumed.file.finishedCells.count == 4)
        #expect(resumed.file.table("ttft")?.rowCount == 28)
    }

    @Test func badSettingsStopBeforeAnythingIsWritten() throws {
        let lab = try Lab()
        func message(_ names: [String], _ overrides: String...) -> String {
            do {
                _ = try lab.run(names, overrides: overrides)
                return "no error"
            } catch { return "\(error)".replacingOccurrences(of: lab.root, with: "ROOT") }
        }
        #expect(
            message(["ttft"], "contexts=[4096]")
                == "--set: 'contexts' holds 4096, which with 17 new tokens is more than the 4096 that tiny takes.")
        #expect(
            message(["ttft"], "shapes=[tinny]")
                == "--set: 'shapes' cannot be 'tinny' (did you mean 'tiny'?); choose one of tiny.")
        #expect(message(["ttft"], "schemes=[afine-q4-g64]").hasPrefix("Unknown scheme 'afine-q4-g64'. Did you mean 'affine-q4-g64'?"))
        #expect(
            message(["capacity"], "measured_budgets=[10 KiB]")
                == "--set: 'measured_budgets' holds 10 KiB, which is too small for one agent of tiny at any of the contexts.")
        #expect(message(["capacity"], "context=[1]").hasPrefix("--set: unknown key 'context'. Did you mean 'contexts'?"))
        let laboratory = Laboratory(
            execution: lab.execution, files: ProjectFiles(root: lab.root), cacheFolder: lab.results + "/.caches")
        try FileManager.default.createDirectory(atPath: lab.results + "/.caches", withIntermediateDirectories: true)
        #expect {
            try laboratory.requireDiskSpace(1 << 60)
        } throws: {
            "\($0)".hasPrefix("\(lab.results) has ") && "\($0)".hasSuffix("; free some space or choose another --out.")
        }
        try FileManager.default.removeItem(atPath: lab.results + "/.caches")
        let left = try FileManager.default.contentsOfDirectory(atPath: lab.results)
        #expect(left == [])
    }
}
