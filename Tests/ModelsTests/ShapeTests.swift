import CKernels
import Caches
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// The full-size shapes cache what the published figures say.
@Suite struct ShapeTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../experiments/shapes").standardized.path

    private func layout(_ shape: String, _ scheme: String, _ form: MLAForm = .expanded, _ policy: WindowPolicy = .full) throws -> CacheLayout {
        let configuration = try ModelRegistry.configuration(path: "\(Self.folder)/\(shape).json")
        return try CacheLayout(
            spec: configuration.cacheSpec(mlaForm: form), scheme: CacheScheme(expression: scheme), windowPolicy: policy)
    }

    /// Appendix D of arXiv 2603.04428: MiB of an agent of 4096 tokens.
    @Test(arguments: [("gemma3-12b", 1536, 432), ("deepseek-coder-v2-lite", 1080, 304), ("llama3.1-8b", 512, 144)])
    func bytesPerAgent(shape: String, fp16: Int, q4: Int) throws {
        #expect(try layout(shape, "fp16").agentBytes(tokens: 4096) >> 20 == fp16)
        // 303.75 in the case of DeepSeek.
        #expect((Double(try layout(shape, "affine-q4-g64").agentBytes(tokens: 4096)) / 1_048_576).rounded() == Double(q4))
    }

    /// Table 2 of the same, at 4K: Gemma's row needs 10.2 GiB, the others 10,200 MiB.
    @Test(arguments: [
        ("gemma3-12b", 10_952_166_604, 6, 24), ("deepseek-coder-v2-lite", 10_200 << 20, 9, 33),
        ("llama3.1-8b", 10_200 << 20, 19, 70),
    ])
    func agentsPerBudget(shape: String, budget: Int, fp16: Int, q4: Int) throws {
        #expect(try layout(shape, "fp16").agents(inBudget: budget, tokens: 4096) == fp16)
        #expect(try layout(shape, "affine-q4-g64").agents(inBudget: budget, tokens: 4096) == q4)
    }

    /// Every sixth Gemma layer is global; the others keep four blocks of a 1024-token window.
    @Test func gemmaWindows() throws {
        let layout = try layout("gemma3-12b", "affine-q4-g64", .none, .window)
        let blocks = layout.layers.map { $0.heldBlocks(at: 32768).count }
        #expect(blocks.count == 48)
        for (index, count) in blocks.enumerated() { #expect(count == ((index + 1) % 6 == 0 ? 128 : 4)) }
    }

    /// A latent row is 512 + 64 wide, once per token and layer.
    @Test func deepSeekLatent() throws {
        let layout = try layout("deepseek-coder-v2-lite", "fp16", .latent)
        #expect(layout.agentBytes(tokens: 256) == 27 * 256 * 576 * 2)
    }

    /// The models ask for exactly the parameters that transformers' models have: `sum(p.numel() for p in
    /// model.parameters())` of the class made from the same file on the meta device (transformers 5.23.0).
    @Test(arguments: [
        ("deepseek-coder-v2-lite", 15_706_484_224), ("gemma3-12b", 11_766_034_176), ("gemma-quick", 123_756_288), ("llama-quick", 174_736_384),
        ("llama3.1-8b", 8_030_261_248), ("llama3.2-1b", 1_235_814_400),
    ])
    func parameters(shape: String, count: Int) throws {
        let configuration = try ModelRegistry.configuration(path: "\(Self.folder)/\(shape).json")
        let weights = CountingWeights()
        var limits = Decoder.StepLimits()
        limits.tokens = 1
        _ = try ModelRegistry.model(
            name: shape, configuration: configuration, weights: weights,
            execution: Execution(workers: WorkerPool(threads: 1)), limits: limits)
        #expect(weights.count == count)
        #expect(weights.names.count == Set(weights.names).count)
    }
}

/// Counts what is asked for and gives next to nothing.
private final class CountingWeights: WeightSource {
    let label = "counting"
    var count = 0
    var names: [String] = []

    func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear {
        for matrix in matrices {
            names.append(matrix.name)
            count += matrix.rows * cols
        }
        return try Linear(rows: 1, cols: 1, storage: .dense(KL_DENSE_F32))
    }

    func vector(_ name: String, count: Int) -> [Float] {
        names.append(name)
        self.count += count
        return []
    }
}
