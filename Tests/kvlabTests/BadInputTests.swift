import Foundation
import Tensors
import Testing

/// What a user reads who gives the program a checkpoint, tokens or options that it cannot take.
@Suite struct BadInputTests {
    private let program = Program()
    private static let checkpoints = "Tests/Fixtures/checkpoints"

    /// A copy of a fixture that may be damaged.
    private func copy(_ name: String) throws -> String {
        let path = "\(program.folder)/\(name)"
        try FileManager.default.copyItem(atPath: "\(Program.root)/\(Self.checkpoints)/\(name)", toPath: path)
        return path
    }

    private func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

    /// The status and the sentence of `kvlab logits`, without the folder's name.
    private func logits(_ weights: String, _ tokens: String = "1", _ more: [String] = ["--kv", "fp32"]) throws -> (Int32, String) {
        let outcome = try program.run(
            ["logits", "--weights", weights, "--tokens", tokens, "--out", program.folder + "/logits"] + more)
        return (outcome.status, outcome.errors.replacingOccurrences(of: program.folder + "/", with: ""))
    }

    @Test func options() throws {
        let weights = Self.checkpoints + "/llama-bf16"
        let cases: [(tokens: String, more: [String], sentence: String)] = [
            ("", [], "--tokens names no token."),
            ("1,x", [], "--tokens takes whole numbers separated by commas, and has 'x'."),
            ("99999999999", [], "--tokens takes whole numbers separated by commas, and has '99999999999'."),
            ("1", ["--chunk", "0"], "--chunk must be at least 1."),
            ("1", ["--mla", "compressed"], "--mla must be expanded or latent, and is 'compressed'."),
            ("1", ["--weight-bits", "5"], "--weight-bits must be 4, 8, 16 or 32, and is 5."),
            ("1", ["--compute", "slow"], "--compute must be fast or reference, and is 'slow'."),
            ("1", ["--threads", "0"], "--threads must be from 1 to 1024, and is 0."),
        ]
        for (tokens, more, sentence) in cases {
            let (status, errors) = try logits(weights, tokens, more)
            #expect(status == 2 && errors.hasPrefix("Error: \(sentence)\nUsage: kvlab logits "), "\(errors)")
        }
    }

    @Test func benchWithoutSchemes() throws {
        let outcome = try program.run(["bench", "--kv", ""])
        #expect(outcome.status == 2 && outcome.errors.contains("--kv names no cache scheme; see kvlab schemes."))
    }

    @Test func tokensAndCaches() throws {
        let weights = Self.checkpoints + "/llama-bf16"
        #expect(try logits(weights, "1,-1") == (1, "Error: Token -1 at position 1 is outside the vocabulary of 80.\n"))
        #expect(
            try logits(weights, "1", []) == (
                1,
                "Error: Scheme 'affine-q4-g64' needs rows of a multiple of 64 elements, and these have 32; fp16 takes any.\n"
            ))
        let outcome = try program.run(["generate", "--weights", weights, "--prompt", "x"])
        #expect(
            outcome.status == 1
                && outcome.errors == "Error: \(weights) has no tokenizer; put its tokenizer.json beside the weights, or use a "
                    + "command that takes token ids.\n")
        let gguf = Self.checkpoints + "/deepseek-split.gguf"
        let file = try program.run(["tokenize", "--weights", gguf, "--file", "README.md"])
        #expect(
            file.errors == "Error: \(gguf) holds no tokenizer; take a file that does, or use a command that takes token ids.\n")
    }

    @Test func files() throws {
        #expect(try logits(program.folder) == (1, "Error: Cannot read config.json: No such file or directory.\n"))
        #expect(
            try logits(Self.checkpoints + "/llama-bf16/model.safetensors").1.hasSuffix(
                "it is a part of a checkpoint; name its folder.\n"))
        let sharded = try copy("llama-f16-sharded")
        try FileManager.default.removeItem(atPath: sharded + "/model-00002-of-00003.safetensors")
        #expect(
            try logits(sharded)
                == (1, "Error: Cannot open llama-f16-sharded/model-00002-of-00003.safetensors: No such file or directory.\n"))
        try FileManager.default.removeItem(atPath: sharded + "/model.safetensors.index.json")
        #expect(
            try logits(sharded).1
                == "Error: Cannot read llama-f16-sharded: it holds neither model.safetensors nor model.safetensors.index.json.\n")
        let gguf = try copy("llama-f32.gguf")
        #expect(truncate(gguf, 100_000) == 0)
        #expect(try logits(gguf).1.contains("llama-f32.gguf is damaged at byte "))
        try write("hello", to: gguf)
        #expect(try logits(gguf).1 == "Error: llama-f32.gguf is damaged at byte 0: it does not start with 'GGUF'.\n")
        try write("", to: gguf)
        #expect(try logits(gguf).1 == "Error: llama-f32.gguf is damaged at byte 0: the file is empty.\n")
    }

    @Test func damagedFolders() throws {
        let folder = try copy("llama-bf16")
        let weights = folder + "/model.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
        let whole = bytes
        bytes.replaceSubrange(bytes.count - 2000..<bytes.count - 1998, with: [0xc0, 0x7f])
        try bytes.write(to: URL(fileURLWithPath: weights))
        #expect(
            try logits(folder) == (
                1,
                "Error: llama-bf16/model.safetensors: element 1112 of tensor 'model.layers.1.self_attn.v_proj.weight', at byte "
                    + "168720, is nan, which no weight can be.\n"
            ))
        try whole.prefix(100_000).write(to: URL(fileURLWithPath: weights))
        #expect(
            try logits(folder).1.hasPrefix(
                "Error: llama-bf16/model.safetensors is damaged at byte 1325: tensor 'model.layers.1.mlp.down_proj.weight' lies at "))
        try whole.write(to: URL(fileURLWithPath: weights))
        let config = folder + "/config.json"
        let text = try String(contentsOfFile: config, encoding: .utf8)
        for (from, to, sentence) in [
            ("\"hidden_size\": 64", "\"hidden_size\": 128",
                "llama-bf16/model.safetensors: tensor 'model.embed_tokens.weight' is BF16 [80, 64] at byte 12384, expected [80, 128]."),
            ("\"llama\"", "\"mistral\"",
                "llama-bf16/config.json: model_type 'mistral' is not supported; supported: llama, gemma3_text, gemma3, deepseek_v2."),
            ("\"llama3\"", "\"longrope\"",
                "llama-bf16/config.json: rope_parameters.rope_type 'longrope' is not supported; supported: default, linear, llama3, yarn."),
            ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
                "llama-bf16/model.safetensors has no tensor 'model.layers.2.input_layernorm.weight'."),
            ("}", "", "Cannot read llama-bf16/config.json: it is not a JSON object."),
        ] {
            try write(text.replacingOccurrences(of: from, with: to), to: config)
            #expect(try logits(folder) == (1, "Error: \(sentence)\n"))
        }
        try write(text.replacingOccurrences(of: "32768", with: "4"), to: config)
        #expect(
            try logits(folder, "1,2,3,4,5") == (1, "Error: A context of 5 tokens is longer than the 4 that llama-bf16 takes.\n"))
        #expect(try logits(folder, "1,2,3,4") == (0, ""))
    }
}
