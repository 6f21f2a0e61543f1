import CKernels
import Foundation
import Models
import Tensors
import Testing

@Suite struct CheckpointFolderTests {
    /// A multimodal checkpoint is read as its text model, under both names that the text model has had.
    @Test(arguments: ["language_model.model.", "model.language_model."]) func multimodal(prefix: String) throws {
        let folder = try DamagedFolder("gemma-f32")
        let url = URL(fileURLWithPath: folder.path + "/config.json")
        var text = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        text["model_type"] = "gemma3_text"
        try JSONSerialization.data(withJSONObject: ["model_type": "gemma3", "text_config": text] as [String: Any])
            .write(to: url)
        try folder.rewrite { tensors in
            tensors = Dictionary(
                uniqueKeysWithValues: tensors.map { (prefix + $0.key.dropFirst("model.".count), $0.value) })
            tensors["vision_tower.patch.weight"] = .init(dtype: .f32, shape: [1, 1], bytes: [0, 0, 0, 0])
        }
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.label(bits: nil) == "HF f32")
        let weights = checkpoint.weights(bits: nil, execution: CheckpointFixtures.execution)
        let norm = try weights.vector("model.norm.weight", count: 64)
        #expect(CheckpointFixtures.hash(norm) == CheckpointFixtures.golden.tensors["gemma-f32"]?["model.norm.weight"])
        _ = try checkpoint.model(bits: .sixteen, execution: CheckpointFixtures.execution)
    }

    /// Scales of 32 bits become half precision, and the label says so; as floats they are used as they are.
    @Test func scalesOf32Bits() throws {
        let folder = try DamagedFolder("llama-mlx-q4")
        try folder.rewrite { tensors in
            for name in tensors.keys where name.hasSuffix(".scales") || name.hasSuffix(".biases") {
                let halves = tensors[name]!.bytes
                tensors[name]!.dtype = .f32
                // A third of a unit in the last place of bfloat16 more: no 16-bit float has it.
                tensors[name]!.bytes = stride(from: 0, to: halves.count, by: 2).flatMap {
                    [0x55, 0x55, halves[$0], halves[$0 + 1]]
                }
            }
        }
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.label(bits: nil) == "MLX q4-g64 with f32 scales → q4-g64")
        let name = (name: "model.layers.0.mlp.up_proj.weight", rows: 128)
        let exact = CheckpointFixtures.values(
            try checkpoint.weights(bits: .thirtyTwo, execution: CheckpointFixtures.execution).linear([name], cols: 64))
        let stored = try checkpoint.weights(bits: nil, execution: CheckpointFixtures.execution).linear([name], cols: 64)
        #expect(stored.storage == .affine4(KL_F16))
        for (a, b) in zip(exact, CheckpointFixtures.values(stored)) { #expect(abs(a - b) <= 0x1p-10 * 0.5) }
        #expect(exact != CheckpointFixtures.values(stored))
    }

    /// Rows that are not whole groups stay in 16 bits, and the label says so.
    @Test func oddWidths() throws {
        let folder = try DamagedFolder("llama-bf16")
        try folder.configure(["intermediate_size": 120])
        try folder.rewrite { tensors in
            for (name, tensor) in tensors where name.contains(".mlp.") {
                tensors[name] =
                    name.contains("down")
                    ? .init(dtype: .bf16, shape: [64, 120], bytes: Array(tensor.bytes[..<(64 * 120 * 2)]))
                    : .init(dtype: .bf16, shape: [120, 64], bytes: Array(tensor.bytes[..<(64 * 120 * 2)]))
            }
        }
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.label(bits: .four) == "HF bf16 → q4-g64 (2 of 16 matrices bf16)")
        let weights = checkpoint.weights(bits: .four, execution: CheckpointFixtures.execution)
        let down = try weights.linear([("model.layers.0.mlp.down_proj.weight", 64)], cols: 120)
        #expect(down.storage == .dense(KL_DENSE_BF16))
    }

    @Test func fingerprints() throws {
        let whole = try CheckpointFixtures.open("llama-f16-sharded")
        let full = whole.fingerprint(.full)
        let sampled = whole.fingerprint(.sampled)
        #expect("\(full)".hasPrefix("sha256:") && full.hex.count == 64)
        #expect("\(sampled)".hasPrefix("sha256-sampled:") && sampled.hex != full.hex)
        // The shards one after the other, as `cat model-*.safetensors | sha256sum` has it.
        #expect(full.hex == "ffc9597ab9eb815fd3c895499702fa879cfc99b5306f861ab1d0283a178a4fc1")
        #expect(try CheckpointFixtures.open("llama-f16-sharded").fingerprint(.sampled) == sampled)
        // One bit of a weight in the middle of a small tensor.
        let folder = try DamagedFolder("llama-bf16")
        let before = try Checkpoint.open(folder.path)
        try folder.rewrite { $0["model.layers.1.mlp.up_proj.weight"]![half: 1] ^= 1 }
        let after = try Checkpoint.open(folder.path)
        #expect(before.fingerprint(.full) != after.fingerprint(.full))
        #expect(before.fingerprint(.sampled) != after.fingerprint(.sampled))
    }

    @Test func names() throws {
        #expect(try Checkpoint.open(CheckpointFixtures.path("llama-f32")).name == "llama-f32")
        #expect(try Checkpoint.open(CheckpointFixtures.path("llama-bf16") + "//").name == "llama-bf16")
        guard case .none = try CheckpointFixtures.open("llama-bf16").tokenizer else {
            Issue.record("llama-bf16 has no tokenizer")
            return
        }
        let folder = try DamagedFolder("llama-bf16")
        try folder.write("tokenizer.json", "{}")
        guard case .folder(folder.path) = try Checkpoint.open(folder.path).tokenizer else {
            Issue.record("the tokenizer is in the folder")
            return
        }
    }
}
