import Experiments
import Foundation
import Results
import Tensors
import Testing

/// The comparison with a llama-bench that is a few lines of shell.
@Suite struct PeerSpeedTests {
    private let lab: RunnerTests.Lab

    init() throws {
        lab = try RunnerTests.Lab()
        try lab.write(
            "experiments/speed.yaml",
            """
            experiment: peer-speed
            title: Speed
            settings: {peers: peers, timeout_seconds: 10, seed: 1, passes: 2}
            profiles:
              quick:
                tests:
                  - shape: tiny
                    layers: 1
                    kind: decode
                    tokens: 3
                    depth: 20
                    kvlab: [affine-q4-g64, fp16]
                    llama.cpp: [f16, q4_0, q8_0]
                    once: [llama.cpp q8_0]
                    targets: [{of: kvlab fp16, over: llama.cpp f16, at_least: 0.5}]
                  - {shape: tiny, layers: 2, kind: prefill, tokens: 40, kvlab: [fp16], llama.cpp: [f16]}
            """)
    }

    /// Gives 12.5 tokens per second with f16, dies with q4_0, hangs with q8_0.
    private func installPeer() throws {
        try FileManager.default.createDirectory(atPath: lab.root + "/peers/bin", withIntermediateDirectories: true)
        try lab.write(
            "peers/bin/llama-bench",
            """
            #!/bin/sh
            echo "$*" >> "\(lab.root)/calls"
            case "$*" in
              *q4_0\\ -ctv*) echo "loading" >&2; echo "no kernel for q4_0" >&2; exit 3 ;;
              *"-ctk q8_0"*) exec sleep 60 ;;
            esac
            echo '[{"build_commit": "abc123", "samples_ts": [12.5]}]'
            """)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: lab.root + "/peers/bin/llama-bench")
    }

    private func rows(_ directory: RunDirectory) throws -> [Row] {
        let table = try #require(directory.file.table("peer_speed"))
        return (0..<table.rowCount).map { table.row($0) }
    }

    @Test func everyContenderIsARow() throws {
        try installPeer()
        let directory = try lab.run(["speed"])
        let rows = try rows(directory)
        #expect(rows.count == 2 * (5 + 2) - 1)
        for row in rows {
            guard case .string(let contender) = row["contender"], case .double(let speed) = row["tokens_per_second"]
            else { Issue.record("a row without contender"); continue }
            switch contender {
            case "llama.cpp f16":
                #expect(speed == 12.5 && row["version"] == .string("llama.cpp abc123") && row["failure"] == .string(""))
            case "llama.cpp q4_0":
                #expect(speed.isNaN && row["failure"] == .string("it ended with status 3: no kernel for q4_0"))
            case "llama.cpp q8_0":
                #expect(speed.isNaN && row["failure"] == .string("it took more than 10 s and was stopped"))
            default: #expect(speed > 0 && contender.hasPrefix("kvlab "))
            }
        }
        let targets = try #require(directory.file.table("peer_targets"))
        #expect(targets.rowCount == 1 && targets.doubles("at_least") == [0.5])
        let calls = try String(contentsOfFile: lab.root + "/calls", encoding: .utf8).split(separator: "\n")
        #expect(
            calls.contains(
                "-m \(lab.root)/peers/models/tiny-1-q4_0.gguf -t 2 -fa 1 -ctk f16 -ctv f16 -d 20 -r 1 -o json -p 0 -n 3"))
        // Contenders load files that hold the same weights, and keep them for the next run.
        let file = try GGUFFile(path: lab.root + "/peers/models/tiny-2-q4_0.gguf")
        #expect(try file.text("general.description") == "synthetic grid seed 1")
        #expect(try file.tensor("blk.1.attn_q.weight").type == .q4_0)
    }

    /// A peer that is not there costs its own numbers only.
    @Test func missingPeer() throws {
        let rows = try rows(lab.run(["speed"], overrides: ["passes=1"]))
        #expect(rows.count == 7)
        for row in rows {
            let isPeer = row["program"] == .string("llama.cpp")
            let words = "\(lab.root)/peers/bin/llama-bench is not there; make peers installs it"
            #expect(row["failure"] == .string(isPeer ? words : ""))
        }
    }

    @Test func badTests() throws {
        func message(_ tests: String) -> String {
            do {
                _ = try lab.run(["speed"], overrides: ["tests=\(tests)"])
                return "none"
            } catch { return "\(error)".replacingOccurrences(of: lab.root + "/experiments/", with: "") }
        }
        let start = "{shape: tiny, layers: 1, kind: prefill, tokens: 40"
        #expect(
            message("[\(start), kvlab: [fp16]}]")
                == "speed.yaml, line 1: 'shape' has a test without two different contenders under kvlab and llama.cpp.")
        #expect(
            message("[\(start), kvlab: [fp16, int3]}]").hasPrefix("Unknown scheme 'int3'."))
        #expect(
            message("[\(start), depht: 3, kvlab: [fp16], llama.cpp: [f16]}]").hasPrefix(
                "speed.yaml, line 1: unknown key 'depht'. Did you mean 'depth'?"))
        #expect(
            message("[\(start), depth: 5000, kvlab: [fp16], llama.cpp: [f16]}]")
                == "speed.yaml, line 1: 'tokens' and depth are more than the 4096 that tiny takes.")
        #expect(
            message("[\(start), kvlab: [fp16], llama.cpp: [f16], targets: [{of: kvlab fp8, over: llama.cpp f16, at_least: 1}]}]")
                == "speed.yaml, line 1: 'of' cannot be 'kvlab fp8' (did you mean 'kvlab fp16'?); "
                + "choose one of kvlab fp16, llama.cpp f16.")
        #expect(message("3") == "--set: 'tests' must hold keys and values.")
    }
}
