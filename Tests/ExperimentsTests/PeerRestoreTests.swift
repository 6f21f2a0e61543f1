import Experiments
import Foundation
import Results
import Tensors
import Testing

/// The restore comparison with programs that are a few lines of shell.
@Suite struct PeerRestoreTests {
    private let lab: RunnerTests.Lab

    init() throws {
        lab = try RunnerTests.Lab()
        try lab.write(
            "experiments/restore.yaml",
            """
            experiment: peer-restore
            title: Saved caches
            settings: {peers: peers, kvlab: own, timeout_seconds: 5, extension_tokens: 3, output_tokens: 2, seed: 1, passes: 1}
            profiles:
              quick:
                tests:
                  - shape: tiny
                    layers: 1
                    contexts: [70]
                    kvlab: [fp16]
                    llama.cpp: [f16, q4_0]
                    mlx-lm: [f16, q4]
                    transformers: [bf16, quanto-4]
            """)
        try program(
            "own",
            """
            case "$(cat "$2")" in *first*)
            echo '{"state": "load", "seconds": 1}'
            echo '{"state": "cold", "seconds": 8, "tokens": [5], "hit_tokens": 0, "memory_bytes": 600}'
            echo '{"state": "save", "seconds": 0.5, "disk_bytes": 700}'
            echo '{"state": "hot", "seconds": 0.25, "tokens": [5, 6], "hit_tokens": 70}'
            echo '{"state": "warm", "seconds": 0.5, "tokens": [5, 6], "hit_tokens": 70}'
            echo '{"state": "end", "version": "v1", "weights": "q4", "peak_rss_bytes": 9000}' ;;
            *)
            echo '{"state": "load", "seconds": 2}'
            echo '{"state": "restart", "seconds": 0.75, "tokens": [5, 7], "hit_tokens": 70}'
            echo '{"state": "end", "version": "v1", "weights": "q4", "peak_rss_bytes": 8000}' ;;
            esac
            """)
    }

    private func program(_ name: String, _ lines: String) throws {
        try lab.write(name, "#!/bin/sh\n" + lines + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(lab.root)/\(name)")
    }

    /// What a llama-server, an mlx-lm and a transformers do that fail in different ways: gets "-B", the script and the job.
    private func installPeers() throws {
        try FileManager.default.createDirectory(atPath: lab.root + "/peers/python/bin", withIntermediateDirectories: true)
        try program(
            "peers/python/bin/python3",
            """
            cp "$3" "\(lab.root)/last-job"
            job="$2 $(cat "$3")"
            case "$job" in
              *llama_server.py*'"kv":"q4_0"'*) echo '{"state": "load", "seconds": 1}'; echo '{"state": "cold", "failure": "no such kernel"}'; exit 0 ;;
              *llama_server.py*) exec sh "\(lab.root)/own" x "$3" ;;
              *mlx_lm_cache.py*'"kv":"f16"'*) echo '{"state": "load", "seconds": 1}'; echo "loading" >&2; echo "out of memory" >&2; exit 3 ;;
              *mlx_lm_cache.py*) echo "hello"; exit 0 ;;
              *transformers_cache.py*bf16*) exec sleep 60 ;;
              *) echo '{"state": "load", "seconds": 1}'; echo '{"state": "cold", "seconds": -1, "tokens": [], "hit_tokens": 0}' ;;
            esac
            """)
    }

    private func rows(_ directory: RunDirectory) throws -> [Row] {
        let table = try #require(directory.file.table("peer_restore"))
        return (0..<table.rowCount).map { table.row($0) }
    }

    @Test func everyStateIsARow() throws {
        try installPeers()
        let rows = try rows(lab.run(["restore"]))
        #expect(rows.count == 7 * 7)
        func row(_ contender: String, _ state: String) throws -> Row {
            try #require(rows.first { $0["contender"] == .string(contender) && $0["state"] == .string(state) })
        }
        for contender in ["kvlab fp16", "llama.cpp f16"] {
            let cold = try row(contender, "cold")
            #expect(cold["seconds"] == .double(8) && cold["memory_bytes"] == .int(600) && cold["hit_tokens"] == .int(0))
            #expect(cold["same_tokens"] == .int(-1) && cold["disk_bytes"] == .int(-1) && cold["failure"] == .string(""))
            #expect(cold["version"] == .string("v1") && cold["weights"] == .string("q4"))
            #expect(try row(contender, "save")["disk_bytes"] == .int(700))
            #expect(try row(contender, "warm")["same_tokens"] == .int(1))
            let restart = try row(contender, "restart")
            #expect(restart["seconds"] == .double(0.75) && restart["same_tokens"] == .int(0))
            #expect(restart["peak_rss_bytes"] == .int(8000))
            #expect(try row(contender, "reload")["seconds"] == .double(2))
        }
        func failure(_ contender: String, _ state: String) throws -> Value? {
            let row = try row(contender, state)
            guard case .double(let seconds) = row["seconds"] else { return nil }
            #expect(seconds.isNaN)
            return row["failure"]
        }
        #expect(try row("llama.cpp q4_0", "load")["failure"] == .string(""))
        for state in ["cold", "save", "hot", "warm"] {
            #expect(try failure("llama.cpp q4_0", state) == .string("no such kernel"))
            #expect(try failure("mlx-lm f16", state) == .string("it ended with status 3: out of memory"))
            #expect(try failure("mlx-lm q4", state) == .string("it printed something else than a result: hello"))
            #expect(try failure("transformers bf16", state) == .string("it took more than 10 s and was stopped"))
            #expect(
                try failure("transformers quanto-4", state)
                    == .string(
                        "it printed something else than a result: "
                            + "{\"state\": \"cold\", \"seconds\": -1, \"tokens\": [], \"hit_tokens\": 0}"))
        }
        // What was never saved is not restored.
        #expect(
            try failure("llama.cpp q4_0", "restart") == .string("it saved nothing that could be restored: no such kernel"))
        #expect(try row("llama.cpp q4_0", "load")["peak_rss_bytes"] == .int(-1))

        let job = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: lab.root + "/last-job")))
        let fields = try #require(job as? [String: Any])
        let context = try #require(fields["context"] as? [Int])
        #expect(context.count == 70 && context.allSatisfy { (0..<511).contains($0) })
        #expect((fields["extension"] as? [Int])?.count == 3 && fields["output_tokens"] as? Int == 2)
        // All contenders load the same weights, in the form that each knows.
        let folder = try SafetensorsFile(path: lab.root + "/peers/models/tiny-1-f16/model.safetensors")
        #expect(folder.metadata["weights"] == "synthetic grid seed 1")
        #expect(try GGUFFile(path: lab.root + "/peers/models/tiny-1-q4_0.gguf").text("general.description") == "synthetic grid seed 1")
    }

    /// A peer that is not there costs its own numbers only.
    @Test func missingPeers() throws {
        let rows = try rows(lab.run(["restore"]))
        for row in rows where row["state"] == .string("cold") {
            let words = "\(lab.root)/peers/python/bin/python3 is not there; make peers installs it"
            #expect(row["failure"] == .string(row["program"] == .string("kvlab") ? "" : words))
        }
    }

    @Test func badTests() throws {
        func message(_ tests: String) -> String {
            do {
                _ = try lab.run(["restore"], overrides: ["tests=\(tests)"])
                return "none"
            } catch { return "\(error)".replacingOccurrences(of: lab.root + "/experiments/", with: "") }
        }
        let start = "{shape: tiny, layers: 1, contexts: [100]"
        #expect(
            message("[\(start), kvlab: [fp16]}]")
                == "restore.yaml, line 1: 'shape' has a test without two different contenders under "
                + "kvlab, llama.cpp, mlx-lm, transformers.")
        #expect(message("[\(start), kvlab: [fp16, int3]}]").hasPrefix("Unknown scheme 'int3'."))
        #expect(
            message("[{shape: tiny, layers: 1, contexts: [4093], kvlab: [fp16], llama.cpp: [f16]}]")
                == "restore.yaml, line 1: 'contexts' holds 4093, which with 5 new tokens is more than the 4096 that tiny takes.")
        #expect(
            message("[\(start), kvlab: [fp16], llama.cpp: [f16]}, \(start), kvlab: [fp16], mlx-lm: [q4]}]")
                == "--set: 'tests' has a context twice.")
    }

    /// kvlab's own part, on a file that the export wrote, in both phases.
    @Test func ownJob() throws {
        try installPeers()
        _ = try lab.run(["restore"])
        let model = lab.root + "/peers/models/tiny-1-q4_0.gguf"
        let folder = lab.root + "/saved"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func lines(_ phase: String) throws -> [[String: Any]] {
            let ids = (0..<303).map { ($0 &* 7919) % 511 }
            let job: [String: Any] = [
                "model": model, "kv": "affine-q4-g64", "threads": 2, "folder": folder, "peers": "", "phase": phase,
                "context": Array(ids[..<300]), "extension": Array(ids[300...]), "output_tokens": 4, "timeout_seconds": 10,
            ]
            try JSONSerialization.data(withJSONObject: job).write(to: URL(fileURLWithPath: lab.root + "/job.json"))
            var lines: [[String: Any]] = []
            try RestoreSelf.run(file: lab.root + "/job.json") { text in
                lines.append((try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:])
            }
            return lines
        }
        let failed = try lines("restarted")
        #expect(failed.map { $0["state"] as? String } == ["load", "restart"] && failed[1]["failure"] is String)
        let first = try lines("first")
        #expect(first.map { $0["state"] as? String } == ["load", "cold", "save", "hot", "warm", "end"])
        let restarted = try lines("restarted")
        #expect(restarted.map { $0["state"] as? String } == ["load", "restart", "end"])
        let tokens = [first[3], first[4], restarted[1]].map { $0["tokens"] as? [Int] }
        #expect(tokens[0]?.count == 4 && tokens[1] == tokens[0] && tokens[2] == tokens[0])
        #expect([first[3], first[4], restarted[1]].allSatisfy { $0["hit_tokens"] as? Int == 300 })
        // Two blocks of 256 rows of one head, keys and values, 4.5 bits for each of 64 elements.
        #expect(first[1]["memory_bytes"] as? Int == 2 * 256 * 2 * 36)
        #expect(try #require(first[2]["disk_bytes"] as? Int) >= 300 * 2 * 36)
        #expect(throws: ExperimentsError.self) {
            try RestoreSelf.run(file: lab.root + "/experiments/restore.yaml") { _ in }
        }
    }
}
