import Engine
import Experiments
import Foundation
import Models
import Results
import Testing
import Text

/// The comparison of predictions with a llama-perplexity that is a few lines of shell.
@Suite struct PeerQualityTests {
    private static let weights = QualityExperimentTests.root + "/datasets/checkpoints/llama-mini"
    private static let window = 64
    private static let windows = 2
    private let lab: RunnerTests.Lab

    init() throws {
        lab = try RunnerTests.Lab()
        try lab.write("a.txt", QualityExperimentTests.text)
        try lab.write("b.txt", "Twelve of 345 draws were larger than 6.")
        try lab.write(
            "experiments/quality.yaml",
            """
            experiment: peer-quality
            title: Predictions
            settings:
              {peers: peers, timeout_seconds: 10, texts: [a.txt, b.txt], window: \(Self.window), windows: \(Self.windows),
               mla_form: expanded, base_scheme: fp16, base_type: f16, lowest_ratio: 0.9, highest_ratio: 1.1}
            profiles:
              quick:
                tests:
                  - weights: [\(Self.weights)]
                    pairs:
                      - {kvlab: queries-q8_0(q8_0), llama.cpp: q8_0, rotated: no}
                      - {kvlab: hadamard-64(queries-q8_0(q8_0)), llama.cpp: q8_0, rotated: yes}
                      - {kvlab: q4_0, llama.cpp: q4_0, rotated: no}
                      - {kvlab: q4_1, llama.cpp: q4_1, rotated: no}
                      - {kvlab: iq4_nl, llama.cpp: iq4_nl, rotated: yes}
                      - {kvlab: affine-q4-g64}
                      - {kvlab: queries-q8_0(fp16)}
                      - {kvlab: q8_0}
            """)
    }

    /// What llama-perplexity printed at the end of a run with llama-mini, q4_0.
    private static let printed = """
        ====== Perplexity statistics ======
        Mean PPL(Q)                   :   7.601268 ±   0.249012
        Mean ln(PPL(Q)/PPL(base))     :   0.001262 ±   0.000898

        ====== KL divergence statistics ======
        Mean    KLD:   0.001706 ±   0.000037
        Maximum KLD:   0.029436
        Median  KLD:   0.001187

        ====== Token probability statistics ======
        Mean    Δp: -0.014 ± 0.024 %
        RMS Δp    :  1.077 ± 0.031 %
        Same top p: 98.186 ± 0.296 %
        """

    /// The tokens that both are to compute.
    private func tokens() throws -> [Int32] {
        let text = try ["a.txt", "b.txt"].map { try String(contentsOfFile: "\(lab.root)/\($0)", encoding: .utf8) }
            .joined(separator: "\n")
        return Array(try Checkpoint.open(Self.weights).loadTokenizer().encode(text)[..<(Self.window * Self.windows)])
    }

    /// Copies a head with `tokens` as the base's logits; prints a result with q8_0, but for the first time, dies with q4_0, hangs
    /// with q4_1, and never rotates iq4_nl.
    private func installPeer(_ tokens: [Int32]) throws {
        var head = Data("_logits_".utf8)
        for value in [Int32(Self.window), 4096, Int32(Self.windows)] + tokens {
            withUnsafeBytes(of: value.littleEndian) { head.append(contentsOf: $0) }
        }
        try FileManager.default.createDirectory(atPath: lab.root + "/peers/bin", withIntermediateDirectories: true)
        try head.write(to: URL(fileURLWithPath: lab.root + "/head"))
        try lab.write(
            "peers/bin/llama-perplexity",
            """
            #!/bin/sh
            echo "$LLAMA_ATTN_ROT_DISABLE $*" >> "\(lab.root)/calls"
            case "$*" in
              --version) echo "version: 0.5.0 (build 1, commit abc)" >&2; exit 0 ;;
              *" -f "*) while [ "$1" != --kl-divergence-base ]; do shift; done; cp "\(lab.root)/head" "$2"; exit 0 ;;
              *"-ctk q4_0"*) echo "loading" >&2; echo "no kernel for q4_0" >&2; exit 3 ;;
              *"-ctk q4_1"*) exec sleep 60 ;;
              *iq4_nl*) LLAMA_ATTN_ROT_DISABLE=1 ;;
            esac
            echo "0.00 I init: attn_rot_k = $((1 - LLAMA_ATTN_ROT_DISABLE)), n_embd_head_k_all = 64" >&2
            echo "0.00 I init: attn_rot_v = $((1 - LLAMA_ATTN_ROT_DISABLE)), n_embd_head_k_all = 64" >&2
            [ -e "\(lab.root)/lost" ] || { touch "\(lab.root)/lost"; echo "chunk PPL"; exit 0; }
            cat <<'END'
            \(Self.printed)
            END
            """)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: lab.root + "/peers/bin/llama-perplexity")
    }

    private func rows(_ directory: RunDirectory) throws -> [String: Row] {
        let table = try #require(directory.file.table("peer_quality"))
        return Dictionary(
            uniqueKeysWithValues: (0..<table.rowCount).map { index in
                let row = table.row(index)
                guard case .string(let name) = row["contender"] else { return ("", row) }
                return (name, row)
            })
    }

    @Test func everyCacheIsARow() throws {
        try installPeer(try tokens())
        let directory = try lab.run(["quality"])
        let rows = try rows(directory)
        #expect(rows.count == 5 + 8)
        for (name, rotated) in [("llama.cpp q8_0", "1"), ("llama.cpp q8_0, rotated", "0")] {
            let row = try #require(rows[name])
            #expect(row["kld_mean"] == .double(0.001706) && row["kld_standard_error"] == .double(0.000037))
            #expect(row["same_top"] == .double(98.186 / 100) && row["failure"] == .string("") && row["beside"] == .string(""))
            #expect(row["version"] == .string("llama.cpp 0.5.0 (build 1, commit abc)"))
            // Six layers, two heads of 64 keys and 64 values, 8.5 bits each.
            #expect(row["bytes_per_token"] == .double(6 * 2 * 128 * 8.5 / 8))
            let calls = try String(contentsOfFile: lab.root + "/calls", encoding: .utf8)
            let start = "\(rotated) -m \(lab.root)/peers/models/llama-mini-f32.gguf "
            #expect(calls.contains(start + "-t 2 -c 64 -b 64 -fa on -ctk q8_0 -ctv q8_0 --kl-divergence-base "))
        }
        for (name, words) in [
            ("llama.cpp q4_0", "it ended with status 3: no kernel for q4_0"),
            ("llama.cpp q4_1", "it took more than 10 s and was stopped"),
            ("llama.cpp iq4_nl, rotated", "it rotated keys and values otherwise than it was told"),
        ] { #expect(rows[name]?["failure"] == .string(words)) }

        let own = try #require(rows["kvlab hadamard-64(queries-q8_0(q8_0))"])
        #expect(own["beside"] == .string("llama.cpp q8_0, rotated") && own["lowest_ratio"] == .double(0.9))
        #expect(own["bytes_per_token"] == rows["llama.cpp q8_0"]?["bytes_per_token"])
        #expect(own["tokens_scored"] == .int(Int64(Self.windows * (Self.window / 2 - 1))))
        #expect(rows["kvlab affine-q4-g64"]?["beside"] == .string(""))
        // The mean and its error are those of the positions.
        let table = try #require(directory.file.table("peer_quality_tokens"))
        let positions = (0..<table.rowCount).map { table.row($0) }.filter { $0["kv"] == .string("q4_0") }
        let values = positions.compactMap { row -> Double? in
            guard case .double(let kld) = row["kld"] else { return nil }
            return kld
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count) - mean * mean
        guard case .double(let found) = rows["kvlab q4_0"]?["kld_mean"],
            case .double(let error) = rows["kvlab q4_0"]?["kld_standard_error"]
        else { Issue.record("no number"); return }
        #expect(values.count == Self.windows * (Self.window / 2 - 1) && abs(found - mean) <= 1e-12 && mean > 0)
        #expect(abs(error - (square / Double(values.count - 1)).squareRoot()) <= 1e-9)
        // Queries in 8 bits cost something by themselves, and keys and values in 8 bits more.
        let costs = ["queries-q8_0(fp16)", "q8_0", "queries-q8_0(q8_0)", "q4_0"].map { kv -> Double in
            guard case .double(let mean) = rows["kvlab \(kv)"]?["kld_mean"] else { return .nan }
            return mean
        }
        #expect(costs[0] > 0 && costs[2] > costs[0] && costs[2] > costs[1] && costs[3] > 10 * costs[2], "\(costs)")
        // It loads what the checkpoint is, tokenizer and all.
        let exported = try Checkpoint.open(lab.root + "/peers/models/llama-mini-f32.gguf")
        #expect(try exported.loadTokenizer().encode("10 draws") == Checkpoint.open(Self.weights).loadTokenizer().encode("10 draws"))
    }

    /// Without the same tokens there is nothing to compare.
    @Test func otherTokens() throws {
        var other = try tokens()
        other[70] += 1
        try installPeer(other)
        let rows = try rows(lab.run(["quality"]))
        let words = "its tokenizer makes other tokens of the text than kvlab's, from token 70 on"
        for (name, row) in rows { #expect(row["failure"] == .string(name.hasPrefix("kvlab") ? "" : words), "\(name)") }
    }

    /// A peer that is not there, or prints something else, costs its own numbers only.
    @Test func missingOrStrangePeer() throws {
        let program = lab.root + "/peers/bin/llama-perplexity"
        for (name, row) in try rows(lab.run(["quality"])) {
            #expect(row["failure"] == .string(name.hasPrefix("kvlab") ? "" : "\(program) is not there; make peers installs it"))
        }
        try installPeer(try tokens())
        try lab.write("head", "_logits_")
        #expect(try rows(lab.run(["quality"]))["llama.cpp q8_0"]?["failure"] == .string("it wrote no logits that can be read"))
    }

    @Test func badSettings() throws {
        func message(_ override: String) -> String {
            do {
                _ = try lab.run(["quality"], overrides: [override])
                return "none"
            } catch { return "\(error)" }
        }
        #expect(message("windows=900").contains("'windows' is 900 of 64 tokens, and the texts have "))
        #expect(message("window=5000").contains("'window' is 5000, more than the 4096 that llama-mini takes."))
        func pairs(_ text: String) -> String { message("tests=[{weights: [\(Self.weights)], pairs: [\(text)]}]") }
        #expect(pairs("{kvlab: q4_9}").hasPrefix("Unknown scheme 'q4_9'."))
        #expect(pairs("{kvlab: q4_0, llama.cpp: q4, rotated: no}").contains("'llama.cpp'"))
        #expect(pairs("{kvlab: q4_0}, {kvlab: q4_0}").contains("'pairs' has a cache of kvlab twice"))
    }
}
