import Caches
import CKernels
import Foundation
import Models
import Schemes
import Testing

@Suite struct CheckpointModelTests {
    /// Logits in 32-bit arithmetic over a 32-bit cache, [tokens, vocabulary].
    private func logits(_ name: String, bits: WeightBits?) throws -> [[Float]] {
        let execution = Execution(workers: CheckpointFixtures.execution.workers, compute: .reference)
        let model = try CheckpointFixtures.open(name).model(bits: bits, execution: execution)
        let tokens = CheckpointFixtures.golden.tokens
        let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: "fp32"))
        let cache = AgentCache(agent: "tester", layout: layout, pool: BlockPool(budgetBytes: 64 << 20))
        let logits = try model.forward([SequenceStep(cache: cache, tokens: tokens[...], wanted: .all)])
        return (0..<tokens.count).map { Array(logits.row($0)) }
    }

    private func difference(_ a: [[Float]], _ b: [[Float]]) -> Float {
        zip(a, b).flatMap { zip($0, $1).map { abs($0 - $1) } }.max()!
    }

    /// Checkpoints compute what transformers computes with the same weights in f32: names, permutations, conventions and
    /// the configuration are all in it.
    @Test(arguments: [
        ("llama-bf16", WeightBits?.none), ("llama-bf16", .thirtyTwo), ("llama-f16-sharded", nil), ("llama-f32", nil),
        ("gemma-f32", nil), ("deepseek-bf16", nil),
    ])
    func likeTransformers(name: String, bits: WeightBits?) throws {
        let family = String(name.split(separator: "-")[0])
        let golden = try #require(CheckpointFixtures.golden.logits[family])
        #expect(difference(try logits(name, bits: bits), golden) < 2e-4)
    }

    /// A GGUF file and a folder of the same model have the same configuration.
    @Test(arguments: [
        ("llama-f32", "llama-bf16"), ("gemma-q8_0", "gemma-f32"), ("deepseek-split", "deepseek-bf16"),
        ("deepseek-whole", "deepseek-bf16"),
    ])
    func configurations(gguf: String, folder: String) throws {
        let ours = "\(try CheckpointFixtures.open(gguf).configuration)"
        #expect(ours == "\(try CheckpointFixtures.open(folder).configuration)")
    }

    /// Models with the same shape and other weights are told apart.
    @Test func identity() throws {
        let execution = CheckpointFixtures.execution
        let fingerprints = try ["llama-bf16", "llama-f16-sharded", "llama-mlx-q4", "llama-f32"].map {
            try CheckpointFixtures.open($0).model(bits: .four, execution: execution).fingerprint
        }
        #expect(Set(fingerprints).count == 4)
    }

    @Test func progress() throws {
        var reports: [LoadingProgress] = []
        _ = try CheckpointFixtures.open("llama-mixed").model(bits: .eight, execution: CheckpointFixtures.execution) {
            reports.append($0)
        }
        #expect(reports.map(\.bytesRead) == reports.map(\.bytesRead).sorted())
        let last = try #require(reports.last)
        // All but the factors on rotary frequencies.
        #expect(last.bytesTotal - last.bytesRead == 64)
        #expect(Set(reports.map(\.tensor)).contains("token_embd.weight"))
    }
}
