import CKernels
import Foundation
import Models
import Testing

/// What checkpoints of all formats read as, bit for bit: against the HuggingFace weights, mx.dequantize and
/// gguf.quants.dequantize.
@Suite struct CheckpointValuesTests {
    private func check(_ name: String, bits: WeightBits?) throws {
        let weights = try CheckpointFixtures.open(name).weights(bits: bits, execution: CheckpointFixtures.execution)
        let hashes = try #require(CheckpointFixtures.golden.tensors[name])
        for (tensor, shape) in try CheckpointFixtures.shapes(of: name) {
            let values =
                shape.count == 1
                ? try weights.vector(tensor, count: shape[0])
                : CheckpointFixtures.values(try weights.linear([(tensor, shape[0])], cols: shape[1]))
            #expect(CheckpointFixtures.hash(values) == hashes[tensor], "\(name): \(tensor)")
        }
        try weights.checkAllWereRead()
    }

    @Test(arguments: CheckpointFixtures.names) func asFloats(name: String) throws { try check(name, bits: .thirtyTwo) }

    /// Nothing is lost where a checkpoint is kept as it is: GGML blocks are the only thing that cannot be.
    @Test(
        arguments: CheckpointFixtures.names.filter {
            !["llama-mixed", "gemma-q8_0", "deepseek-split", "deepseek-whole"].contains($0)
        })
    func asStored(name: String) throws { try check(name, bits: nil) }

    /// Weights quantized while they are read equal those that mlx-lm quantized before.
    @Test(arguments: [
        ("llama-bf16", "llama-mlx-q4", WeightBits.four), ("llama-bf16", "llama-mlx-q8", .eight),
        ("deepseek-bf16", "deepseek-mlx-q4", .four),
    ])
    func quantizedAsMLX(floats: String, quantized: String, bits: WeightBits) throws {
        let ours = try CheckpointFixtures.open(floats).weights(bits: bits, execution: CheckpointFixtures.execution)
        let theirs = try CheckpointFixtures.open(quantized).weights(bits: bits, execution: CheckpointFixtures.execution)
        for (tensor, shape) in try CheckpointFixtures.shapes(of: floats) where shape.count == 2 {
            let a = try ours.linear([(tensor, shape[0])], cols: shape[1])
            let b = try theirs.linear([(tensor, shape[0])], cols: shape[1])
            #expect(a.storage == b.storage, "\(tensor)")
            #expect(CheckpointFixtures.values(a) == CheckpointFixtures.values(b), "\(tensor)")
        }
    }

    /// Matrices with the same input are stacked, rows of the first before rows of the second, whatever their storage.
    @Test(
        arguments: [
            ("llama-bf16", nil, Linear.Storage.dense(KL_DENSE_BF16)), ("llama-bf16", .four, .affine4(KL_BF16)),
            ("llama-f16-sharded", .eight, .affine8(KL_F16)), ("llama-f16-sharded", .sixteen, .dense(KL_DENSE_F16)),
            ("llama-mlx-q4", nil, .affine4(KL_BF16)), ("llama-mlx-q4", .sixteen, .dense(KL_DENSE_BF16)),
            ("llama-mlx-mixed", nil, .affine8(KL_F16)), ("llama-mixed", nil, .dense(KL_DENSE_F16)),
            ("llama-mixed", .four, .affine4(KL_F16)),
        ] as [(String, WeightBits?, Linear.Storage)])
    func stacked(name: String, bits: WeightBits?, storage: Linear.Storage) throws {
        let weights = try CheckpointFixtures.open(name).weights(bits: bits, execution: CheckpointFixtures.execution)
        let parts = ["q", "k", "v"].map {
            (name: "model.layers.1.self_attn.\($0)_proj.weight", rows: $0 == "q" ? 64 : 32)
        }
        let whole = try weights.linear(parts, cols: 64)
        #expect(whole.rows == 128 && whole.storage == storage, "\(whole.storage)")
        let rows = try parts.flatMap { CheckpointFixtures.values(try weights.linear([$0], cols: 64)) }
        #expect(CheckpointFixtures.values(whole) == rows)
    }

    @Test func labels() throws {
        let expected: [(String, WeightBits?, String)] = [
            ("llama-bf16", nil, "HF bf16"), ("llama-bf16", .sixteen, "HF bf16"),
            ("llama-bf16", .four, "HF bf16 → q4-g64"), ("llama-f16-sharded", .thirtyTwo, "HF f16 → f32"),
            ("llama-mlx-q4", nil, "MLX q4-g64"), ("llama-mlx-q4", .four, "MLX q4-g64"),
            ("llama-mlx-q4", .sixteen, "MLX q4-g64 → bf16"), ("llama-mlx-q8", .four, "MLX q8-g64 → q4-g64 requantized"),
            ("llama-mlx-mixed", .four, "MLX q4-g64+q8-g64"), ("llama-mlx-q4", .eight, "MLX q4-g64 → q8-g64"),
            ("llama-f32", nil, "GGUF F32"), ("gemma-q8_0", nil, "GGUF Q8_0 → f16"),
            ("gemma-q8_0", .eight, "GGUF Q8_0 → q8-g64 requantized"),
            ("deepseek-bf16", .four, "HF bf16 → q4-g64 (1 of 29 matrices bf16)"),
            ("deepseek-mlx-q4", nil, "MLX q4-g64+bf16"),
            ("llama-mixed", .four, "GGUF BF16+F16+Q8_0+Q4_1+Q4_0+Q5_1+Q5_0 → q4-g64 requantized"),
        ]
        for (name, bits, label) in expected {
            let found = try CheckpointFixtures.open(name).label(bits: bits)
            #expect(found == label)
        }
    }
}
