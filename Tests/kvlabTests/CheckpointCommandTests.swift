import Foundation
import Tensors
import Testing

/// `tokenize`, `logits` and `generate` on a small checkpoint with a real tokenizer.
@Suite struct CheckpointCommandTests {
    private let program = Program()
    private var model: String { program.folder + "/model" }
    private let tokenizer = Program.root + "/Tests/Fixtures/tokenizers/llama3"

    /// A Llama of one layer with random weights, and the tokenizer of the fixtures beside it.
    init() throws {
        try FileManager.default.copyItem(atPath: tokenizer, toPath: model)
        let config = """
            {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1,
             "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 64, "vocab_size": 912,
             "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true}
            """
        try Data(config.utf8).write(to: URL(fileURLWithPath: model + "/config.json"))
        let layer = "model.layers.0."
        let shapes: [(String, [Int])] = [
            ("model.embed_tokens.weight", [912, 64]), ("model.norm.weight", [64]),
            (layer + "input_layernorm.weight", [64]), (layer + "post_attention_layernorm.weight", [64]),
            (layer + "self_attn.q_proj.weight", [64, 64]), (layer + "self_attn.k_proj.weight", [64, 64]),
            (layer + "self_attn.v_proj.weight", [64, 64]), (layer + "self_attn.o_proj.weight", [64, 64]),
            (layer + "mlp.gate_proj.weight", [128, 64]), (layer + "mlp.up_proj.weight", [128, 64]),
            (layer + "mlp.down_proj.weight", [64, 128]),
        ]
        var state: UInt32 = 1
        try SafetensorsWriter.write(
            to: model + "/model.safetensors", metadata: [:],
            tensors: shapes.map { .init(name: $0.0, dtype: .f32, shape: $0.1) }
        ) { write in
            for (_, shape) in shapes {
                let values = (0..<shape.reduce(1, *)).map { _ -> Float in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return Float(Int32(bitPattern: state)) / 4e9
                }
                try values.withUnsafeBytes(write)
            }
        }
    }

    @Test func tokenize() throws {
        let text = program.folder + "/text"
        try Data("Hello, world!\n\u{1F600} 12345".utf8).write(to: URL(fileURLWithPath: text))
        let plain = try program.run(["tokenize", "--weights", model, "--file", text])
        #expect(plain.status == 0, "\(plain.errors)")
        let ids = plain.output.split(separator: "\n").compactMap { Int($0) }
        #expect(ids.count > 5 && ids.allSatisfy { (0..<912).contains($0) })
        let special = try program.run(["tokenize", "--weights", model, "--file", text, "--special", "--json"])
        let array = try JSONSerialization.jsonObject(with: Data(special.output.utf8)) as? [Int]
        #expect(array?.count == ids.count + 1 && Array(array?.dropFirst() ?? []) == ids)
    }

    @Test func logits() throws {
        let out = program.folder + "/logits.safetensors"
        let outcome = try program.run([
            "logits", "--weights", model, "--tokens", "1, 2,3", "--kv", "fp32", "--compute", "reference",
            "--weight-bits", "32", "--out", out,
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let file = try SafetensorsFile(path: out)
        #expect(try file.entry("logits").shape == [3, 912] && file.metadata["kv"] == "fp32")
        let outside = try program.run(["logits", "--weights", model, "--tokens", "1,912", "--out", out])
        #expect(outside.status == 1)
        #expect(outside.errors == "Error: Token 912 at position 1 is outside the vocabulary of 912.\n")
    }

    /// An agent's second turn finds the first one's tokens in its saved cache, and says what a run without a cache says.
    @Test func generateWithAndWithoutAgent() throws {
        let caches = program.folder + "/caches"
        func generate(_ prompt: String, _ more: [String] = []) throws -> Program.Outcome {
            try program.run(["generate", "--weights", model, "--prompt", prompt, "--max-tokens", "8"] + more)
        }
        let agent = ["--agent", "../anna/\u{1F600}", "--cache-dir", caches]
        let first = try generate("The quick brown fox", agent)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains(" 0 of them from the cache"))
        let second = try generate("The quick brown fox jumps", agent)
        #expect(!second.errors.contains(" 0 of them from the cache"))
        #expect(second.output == (try generate("The quick brown fox jumps").output))
        // The agent's folder and the lock.
        #expect(try FileManager.default.contentsOfDirectory(atPath: caches).count == 2)
        // A cache of another scheme is refused, and the answer is right all the same.
        let other = try generate("The quick brown fox jumps", agent + ["--kv", "fp16"])
        #expect(other.status == 0 && other.errors.contains("was made with scheme 'affine-q4-g64' and not 'fp16'"))
        #expect(other.errors.contains(" 0 of them from the cache"))
    }

    /// The object says what the text says, and tells apart what came from the cache.
    @Test func generateJSON() throws {
        let arguments = ["generate", "--weights", model, "--prompt", "The quick brown fox", "--max-tokens", "5"]
        let plain = try program.run(arguments)
        let agent = ["--agent", "anna", "--cache-dir", program.folder + "/json-caches", "--json"]
        for hit in [false, true] {
            let outcome = try program.run(arguments + agent)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            let text = try #require(object["text"] as? String)
            #expect(plain.output == text + "\n" && object["kv"] as? String == "affine-q4-g64")
            let tokens = try #require(object["tokens"] as? [Int])
            #expect(object["finish"] as? String == (tokens.count == 5 ? "length" : "stop"))
            #expect((object["stepSeconds"] as? [Double])?.count == tokens.count - 1)
            let prompt = try #require(object["promptTokens"] as? Int)
            #expect(object["hitTokens"] as? Int == (hit ? prompt - 1 : 0))
        }
    }

    /// A GGUF file without a tokenizer will do.
    @Test func benchOfACheckpoint() throws {
        let outcome = try program.run([
            "bench", "--weights", "Tests/Fixtures/checkpoints/llama-f32.gguf", "--weight-bits", "16", "--kv", "q8_0",
            "--prompt", "16", "--generate", "4", "--depth", "0,32", "--repetitions", "2", "--json",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]] ?? []
        #expect(rows.map { $0["test"] as? String } == ["pp16", "tg4", "pp16 @ d32", "tg4 @ d32"])
        #expect(rows.allSatisfy { ($0["samples"] as? [Double])?.count == 2 && $0["kv"] as? String == "q8_0" })
        let memory = try #require(rows[0]["memory"] as? [String: Int])
        let named = try ["weightBytes", "cacheBytes", "workspaceBytes"].map { try #require(memory[$0]) }
        #expect(named.allSatisfy { $0 > 0 })
        let peak = try #require(memory["peakResidentBytes"])
        // The program itself and its libraries.
        #expect(peak - named.reduce(0, +) < 96 << 20)
    }

    /// The prompt is read after the checkpoint was opened, and before its weights.
    @Test func aCheckpointCutShortMeanwhile() throws {
        let prompt = program.folder + "/prompt"
        mkfifo(prompt, 0o600)
        let (process, _, errors) = try program.start(["generate", "--weights", model, "--prompt-file", prompt])
        let writer = open(prompt, O_WRONLY)
        truncate(model + "/model.safetensors", 8192)
        write(writer, "The quick", 9)
        close(writer)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 1)
        let text = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(text == "Error: A file was cut short while it was being read, a checkpoint or an agent's cache; run this "
            + "again when no other program writes to it.\n")
    }

    @Test func anInterrupt() throws {
        let prompt = program.folder + "/prompt"
        mkfifo(prompt, 0o600)
        let (process, _, errors) = try program.start(["generate", "--weights", model, "--prompt-file", prompt])
        let writer = open(prompt, O_WRONLY)
        process.interrupt()
        process.waitUntilExit()
        close(writer)
        #expect(process.terminationReason == .exit && process.terminationStatus == 130)
        #expect(try String(contentsOfFile: errors, encoding: .utf8) == "\nInterrupted.\n")
    }

    @Test func mistakes() throws {
        let none = try program.run(["generate", "--weights", program.folder + "/nothing", "--prompt", "x"])
        #expect(none.status == 1 && none.errors.hasPrefix("Error: Cannot open \(program.folder)/nothing: "))
        let both = try program.run(["generate", "--weights", model])
        #expect(both.status == 2 && both.errors.contains("Give --prompt or --prompt-file."))
    }
}
