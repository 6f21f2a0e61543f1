import CKernels
import Caches
import Foundation
import Models
import Schemes
import Tensors
import Testing

@Suite struct ModelExportTests {
    private let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).gguf"
    private static let execution = Execution(workers: WorkerPool(threads: 2), compute: .reference)

    private static let yarn = "its YaRN has an attention_factor or an untruncated ramp, which GGUF files cannot say"
    private static let llama3 =
        "its llama3 scaling is not from 8192 tokens with factors 1 and 4, which is what GGUF files' factors are taken for"
    private static func scalar(_ found: String, _ width: Int) -> String {
        "query_pre_attn_scalar is \(found), and GGUF files have no key for anything but \(width)"
    }

    /// Fixtures that say something that GGUF files or llama.cpp cannot.
    private static let refused = [
        "deepseek-3-heads": "its positions are scaled linearly, which llama.cpp takes for YaRN in DeepSeek",
        "deepseek-epsilon":
            "rms_norm_eps is 0.01, and llama.cpp would take it for compressed rows too, whose is 1e-06",
        "deepseek-most-experts": yarn,
        "gemma-3-1-yarn": scalar("20.0", 32),
        "gemma-nested": scalar("20.0", 28),
        "gemma-softcap": scalar("60.0", 20),
        "gemma-untied": scalar("20.0", 40),
        "llama-6-2-llama3": llama3,
        "llama-whole-groups": llama3,
        "llama-yarn-attention-factor": yarn,
        "llama-yarn-mscale": yarn,
    ]

    private func logits(_ checkpoint: Checkpoint, _ tokens: [Int32]) throws -> [Float] {
        let model = try checkpoint.model(bits: .thirtyTwo, execution: Self.execution)
        let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: "fp32"))
        let cache = AgentCache(agent: "a", layout: layout, pool: BlockPool(budgetBytes: .max))
        let logits = try model.forward([SequenceStep(cache: cache, tokens: tokens[...], wanted: .all)])
        return Array(UnsafeBufferPointer(start: logits.values, count: logits.rows * logits.vocabularySize))
    }

    /// A file of 32-bit floats computes what its source does, in both forms of latent attention.
    @Test(arguments: Fixture.all.filter { refused[$0.name] == nil })
    func roundTrip(_ fixture: Fixture) throws {
        let source = try Checkpoint.open(fixture.path)
        let export = ModelExport(checkpoint: source, execution: Self.execution)
        defer { unlink(path) }
        let tokens = try fixture.expected().tokens
        for form in fixture.forms {
            try export.writeGGUF(to: path, type: .f32, mlaForm: form)
            let expected = try logits(source, tokens)
            let found = try logits(Checkpoint.open(path), tokens)
            let worst = zip(found, expected).map { abs($0 - $1) }.max()!
            let largest = expected.map(abs).max()!
            #expect(found.count == expected.count && worst <= 1e-5 * largest, "\(form): \(worst) of \(largest)")
        }
    }

    @Test(arguments: refused.sorted { $0.key < $1.key })
    func whatTheFormatCannotSay(_ name: String, reason: String) throws {
        let source = try Checkpoint.open("\(Fixture.folder)/\(name)")
        let file = "\(source.path)/config.json"
        #expect(throws: ModelsError.cannotExport(file: file, reason: reason)) {
            try ModelExport(checkpoint: source, execution: Self.execution).writeGGUF(to: path, type: .f32)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// The checkpoints of other formats too: quantized, 16 bits, several files.
    @Test(arguments: ["llama-mlx-q4", "llama-f16-sharded", "llama-mixed", "gemma-q8_0", "deepseek-mlx-q4"])
    func formats(_ name: String) throws {
        let source = try CheckpointFixtures.open(name)
        defer { unlink(path) }
        try ModelExport(checkpoint: source, execution: Self.execution).writeGGUF(to: path, type: .f32)
        let tokens = CheckpointFixtures.golden.tokens
        let expected = try logits(source, tokens)
        let found = try logits(Checkpoint.open(path), tokens)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 * expected.map(abs).max()! })
    }

    private let shape = ConfigurationFile(
        path: "shape.json",
        object: [
            "model_type": "llama", "hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300, "rope_theta": 10000.0,
        ])

    /// Synthetic weights are the same numbers in every format, in memory too.
    @Test func gridIsExact() throws {
        let export = try ModelExport(shape: shape, name: "grid", seed: 7, execution: Self.execution)
        var values: [[Float]] = []
        for (type, bits) in [(ExportType.f32, WeightBits?.none), (.f16, nil), (.f16, .four), (.q4_0, nil), (.q4_0, .four)] {
            defer { unlink(path) }
            try export.writeGGUF(to: path, type: type)
            let weights = try Checkpoint.open(path).weights(bits: bits, execution: Self.execution)
            let gate = try weights.linear([("model.layers.1.mlp.gate_proj.weight", 320)], cols: 128)
            let down = try weights.linear([("model.layers.0.mlp.down_proj.weight", 128)], cols: 320)
            let head = try weights.linear([("lm_head.weight", 300)], cols: 128)
            if bits == .four { #expect(gate.storage == .affine4(KL_F16)) }
            values.append(
                [gate, down, head].flatMap(CheckpointFixtures.values) + (try weights.vector("model.norm.weight", count: 128)))
        }
        #expect(values.dropFirst().allSatisfy { $0 == values[0] })
        // As uneven as they should be: a product keeps the variance of its input.
        let matrix = values[0][..<(320 * 128)]
        let variance = matrix.reduce(0) { $0 + $1 * $1 } / Float(matrix.count)
        #expect(abs(variance * 128 - 1) < 0.1)
        #expect(Set(matrix).count > 100)
    }

    /// A folder has no format to say less than the model: every fixture comes back bit for bit.
    @Test(arguments: Fixture.all)
    func folders(_ fixture: Fixture) throws {
        let source = try Checkpoint.open(fixture.path)
        let folder = path + ".folder"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try ModelExport(checkpoint: source, execution: Self.execution).writeFolder(to: folder, type: .f32)
        let tokens = try fixture.expected().tokens
        let copy = try Checkpoint.open(folder)
        #expect(try logits(copy, tokens) == logits(source, tokens))
        #expect(copy.configurationFile.has("architectures") && copy.format == .huggingFace)
    }

    @Test func foldersOfSixteenBits() throws {
        let folder = path + ".folder"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let export = try ModelExport(shape: shape, name: "grid", seed: 7, execution: Self.execution)
        try export.writeFolder(to: folder, type: .f16)
        let weights = try Checkpoint.open(folder).weights(bits: .four, execution: Self.execution)
        let found = try weights.linear([("model.layers.1.mlp.gate_proj.weight", 320)], cols: 128)
        try export.writeGGUF(to: path, type: .q4_0)
        defer { unlink(path) }
        let other = try Checkpoint.open(path).weights(bits: .four, execution: Self.execution)
        let expected = try other.linear([("model.layers.1.mlp.gate_proj.weight", 320)], cols: 128)
        #expect(CheckpointFixtures.values(found) == CheckpointFixtures.values(expected))
        #expect {
            try export.writeFolder(to: folder, type: .q4_0)
        } throws: {
            "\($0)" == "Cannot export grid: safetensors files hold no q4_0; choose f32, f16 or bf16."
        }
    }

    @Test func elementsThatDoNotFit() throws {
        let folder = try CheckpointFixtures.copy("gemma-f32")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try SafetensorsFile(path: folder + "/model.safetensors")
        let range = try file.entry("model.layers.1.mlp.up_proj.weight").range
        var data = try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
        data.replaceSubrange(range.lowerBound..<(range.lowerBound + 4), with: withUnsafeBytes(of: Float(1e6)) { Array($0) })
        try data.write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
        let checkpoint = try Checkpoint.open(folder)
        #expect {
            try ModelExport(checkpoint: checkpoint, execution: Self.execution).writeGGUF(to: path, type: .f16)
        } throws: {
            "\($0)" == "Cannot export \(checkpoint.name): element 0 of tensor 'blk.1.ffn_up.weight' is 1000000.0, "
                + "which f16 does not hold."
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
