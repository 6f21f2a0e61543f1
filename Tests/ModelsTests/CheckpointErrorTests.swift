import Foundation
import Models
import Tensors
import Testing

/// What is wrong with a checkpoint is said in one sentence that names the file and the tensor, key or byte.
@Suite struct CheckpointErrorTests {
    /// The sentence, with `folder` left out of it.
    private func problem(_ folder: DamagedFolder, bits: WeightBits? = nil) -> String {
        problem(folder.path, bits: bits).replacingOccurrences(of: folder.path + "/", with: "")
            .replacingOccurrences(of: folder.path, with: "FOLDER")
    }

    private func problem(_ path: String, bits: WeightBits? = nil) -> String {
        do {
            _ = try Checkpoint.open(path).model(bits: bits, execution: CheckpointFixtures.execution)
            return "none"
        } catch { return "\(error)" }
    }

    @Test func nothingThere() throws {
        #expect(problem("/nowhere/model.gguf") == "Cannot open /nowhere/model.gguf: No such file or directory.")
        let folder = try DamagedFolder("llama-bf16")
        #expect(
            problem(folder.path + "/model.safetensors")
                == "Cannot read \(folder.path)/model.safetensors: it is a part of a checkpoint; name its folder.")
        try folder.remove("model.safetensors")
        #expect(
            problem(folder)
                == "Cannot read FOLDER: it holds neither model.safetensors nor model.safetensors.index.json.")
        try folder.remove("config.json")
        #expect(problem(folder) == "Cannot read config.json: No such file or directory.")
        // A pipe that nobody writes to must not be waited for.
        #expect(mkfifo(folder.path + "/config.json", 0o600) == 0)
        #expect(problem(folder) == "Cannot read config.json: it is not a regular file.")
    }

    @Test func configurations() throws {
        let folder = try DamagedFolder("llama-bf16")
        try folder.configure(["num_hidden_layers": 100])
        #expect(
            problem(folder) == "config.json: 'num_hidden_layers' is 100, and the checkpoint has 20 tensors in all.")
        try folder.configure(["num_hidden_layers": 1e11])
        #expect(
            problem(folder)
                == "config.json: 'num_hidden_layers' is 100000000000, more than the largest believable number, 65536."
        )
        try folder.write("config.json", #"{"model_type": "llama", "#)
        #expect(problem(folder) == "Cannot read config.json: it is not a JSON object.")
        try folder.write("config.json", "")
        #expect(problem(folder) == "Cannot read config.json: it is empty.")
        try folder.write("config.json", String(repeating: "[", count: 100_000))
        #expect(problem(folder) == "Cannot read config.json: it is not a JSON object.")
        try folder.write("config.json", String(repeating: " ", count: 1 << 21))
        #expect(
            problem(folder)
                == "Cannot read config.json: it has 2097152 bytes, and no configuration has more than 1048576.")
    }

    @Test func shards() throws {
        let folder = try DamagedFolder("llama-f16-sharded")
        let index = "model.safetensors.index.json"
        let text = try String(contentsOfFile: folder.path + "/" + index, encoding: .utf8)
        for length in stride(from: 0, to: text.utf8.count - 1, by: 7) {
            try folder.write(index, String(text.prefix(length)))
            let problem = problem(folder)
            #expect(problem.contains(length == 0 ? "is damaged at byte 0: the file is empty" : "is damaged at byte "))
        }
        try folder.write(index, #"{"metadata": {"a": [1.5e3, null, {"b": true}]}}"#)
        #expect(problem(folder) == "model.safetensors.index.json is damaged at byte 0: weight_map is missing.")
        try folder.write(index, #"{"weight_map": {"a": "../other.safetensors"}}"#)
        #expect(
            problem(folder) == "model.safetensors.index.json is damaged at byte 43: "
                + "tensor 'a' lies in '../other.safetensors', which is not the name of a file beside it.")
        try folder.write(index, text.replacingOccurrences(of: "model.norm.weight", with: "model.other.weight"))
        #expect(problem(folder).hasSuffix(".safetensors has no tensor 'model.other.weight'."))
        try folder.write(index, text)
        #expect(problem(folder) == "none")
        try folder.remove("model-00002-of-00003.safetensors")
        #expect(problem(folder) == "Cannot open model-00002-of-00003.safetensors: No such file or directory.")
        try FileManager.default.copyItem(
            atPath: folder.path + "/model-00001-of-00003.safetensors",
            toPath: folder.path + "/model-00002-of-00003.safetensors")
        #expect(problem(folder).contains("is in another shard too"))
    }

    @Test func tensorsOfAFolder() throws {
        let folder = try DamagedFolder("llama-bf16")
        let name = "model.layers.1.mlp.up_proj.weight"
        try folder.rewrite {
            $0[name]!.dtype = .f64; $0[name]!.shape = [128, 16]
        }
        #expect(problem(folder).hasPrefix("model.safetensors: tensor '\(name)' is F64 [128, 16] at byte "))
        try folder.rewrite {
            $0[name]!.dtype = .i16; $0[name]!.shape = [128, 64]
        }
        #expect(problem(folder).hasSuffix(", expected of F32, F16 or BF16."))
        try folder.rewrite {
            $0[name]!.dtype = .bf16; $0[name]!.shape = [64, 128]
        }
        #expect(problem(folder).hasSuffix(", expected [128, 64]."))
        try folder.rewrite { $0[name] = nil }
        #expect(problem(folder) == "model.safetensors has no tensor '\(name)'.")
        let other = try DamagedFolder("llama-bf16")
        try other.rewrite {
            $0["model.layers.0.self_attn.q_proj.bias"] = .init(dtype: .bf16, shape: [2], bytes: [0, 0, 0, 0])
            $0["model.layers.0.self_attn.rotary_emb.inv_freq"] = .init(dtype: .f32, shape: [1], bytes: [0, 0, 0, 0])
        }
        #expect(
            problem(other) == "model.safetensors has tensors that the model does not use, 1 of them, the first "
                + "'model.layers.0.self_attn.q_proj.bias': it is a model of another kind.")
    }

    /// By tensor, element and byte, in the file that holds it.
    @Test(arguments: [WeightBits?.none, .four, .thirtyTwo]) func notNumbers(bits: WeightBits?) throws {
        let name = "model.layers.1.self_attn.k_proj.weight"
        for (pattern, value) in [(UInt16(0x7fc0), "nan"), (0x7f80, "inf"), (0xff80, "-inf")] {
            let folder = try DamagedFolder("llama-bf16")
            try folder.rewrite {
                $0[name]![half: 64 * 20 + 5] = pattern
                $0[name]![half: 64 * 30 + 5] = 0x7fc0
            }
            let start = try SafetensorsFile(path: folder.path + "/model.safetensors").entry(name).range.lowerBound
            #expect(
                problem(folder, bits: bits) == "model.safetensors: element 1285 of tensor '\(name)', "
                    + "at byte \(start + 2 * 1285), is \(value), which no weight can be.")
        }
        let folder = try DamagedFolder("llama-bf16")
        try folder.rewrite { $0["model.norm.weight"]![half: 3] = 0x7fc0 }
        #expect(problem(folder).hasPrefix("model.safetensors: element 3 of tensor 'model.norm.weight', at byte "))
        let mlx = try DamagedFolder("llama-mlx-q4")
        try mlx.rewrite { $0["model.layers.1.mlp.down_proj.scales"]![half: 7] = 0x7f80 }
        #expect(problem(mlx, bits: bits).contains("of tensor 'model.layers.1.mlp.down_proj.weight'"))
    }

    /// Numbers that 16-bit floats cannot hold are not turned into infinity.
    @Test func tooLargeForSixteenBits() throws {
        let folder = try DamagedFolder("llama-bf16")
        try folder.rewrite { tensors in
            for name in tensors.keys where name.hasSuffix("proj.weight") {
                let halves = tensors[name]!.bytes
                tensors[name]!.dtype = .f32
                tensors[name]!.bytes = stride(from: 0, to: halves.count, by: 2).flatMap {
                    [0, 0, halves[$0], halves[$0 + 1]]
                }
            }
            tensors["model.layers.0.mlp.gate_proj.weight"]!.bytes.replaceSubrange(
                40..<44, with: withUnsafeBytes(of: Float(1e6).bitPattern.littleEndian) { Array($0) })
        }
        #expect(problem(folder) == "none")
        let sentence = problem(folder, bits: .sixteen)
        #expect(
            sentence.hasPrefix(
                "model.safetensors: element 10 of tensor 'model.layers.0.mlp.gate_proj.weight', at byte "))
        #expect(sentence.hasSuffix(", is 1000000.0, which no weight can be."))
    }

    @Test func quantizations() throws {
        let folder = try DamagedFolder("llama-mlx-q4")
        for (settings, sentence) in [
            (["group_size": 64, "bits": 3], "config.json: quantization.bits '3' is not supported; supported: 4, 8."),
            (
                ["group_size": 32, "bits": 4],
                "config.json: quantization.group_size '32' is not supported; supported: 64."
            ),
            (
                ["bits": 4, "mode": "mxfp4"],
                "config.json: quantization.mode 'mxfp4' is not supported; supported: affine."
            ),
            (
                ["bits": 4, "model.norm": ["bits": 6]],
                "config.json: quantization.model.norm.bits '6' is not supported; supported: 4, 8."
            ),
            (["group_size": 64], "config.json: 'quantization.bits' is missing."),
        ] as [([String: Any], String)] {
            try folder.configure(["quantization": settings])
            #expect(problem(folder) == sentence)
        }
        try folder.configure(["quantization": ["bits": 8, "group_size": 64]])
        #expect(problem(folder).hasSuffix(", expected [80, 16]."))
        try folder.configure(["quantization": ["bits": 4, "lm_head": false, "model.layers.0.mlp.up_proj": true]])
        #expect(problem(folder) == "none")
        try folder.rewrite { $0["model.layers.0.mlp.up_proj.biases"] = nil }
        #expect(problem(folder) == "model.safetensors has no tensor 'model.layers.0.mlp.up_proj.biases'.")
        try folder.configure(["quantization": nil, "quantization_config": ["quant_method": "gptq", "bits": 4]])
        #expect(
            problem(folder)
                == "config.json: quantization_config.quant_method 'gptq' is not supported; supported: none.")
    }
}
