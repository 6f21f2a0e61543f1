import Caches
import Engine
import Foundation
import Fuzzing
import Models
import Schemes
import Tensors
import Testing
import Text

/// Whole checkpoints with a damage in one of their files: each is refused with a reason or gives logits. Tensor files and
/// tokenizers by themselves are damaged more and faster in `TensorsTests` and `TextTests`; `Fuzz` says what is a finding.
@Suite(.serialized) struct CheckpointFuzzTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/checkpoints").standardized.path

    /// What `kvlab shapes` reads: no weights beside it.
    @Test func configuration() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            let path = FileManager.default.temporaryDirectory.path + "/kvlab-fuzz-\(getpid()).json"
            let files = try ["llama-bf16", "gemma-f32", "deepseek-bf16"].map {
                (path, Array(try Data(contentsOf: URL(fileURLWithPath: "\(Self.fixtures)/\($0)/config.json"))))
            }
            Fuzz("config.json", files: files, seconds: 1).run(isRefusal: { $0 is ModelsError }) { _ in
                let configuration = try ModelRegistry.configuration(path: path)
                for form in [MLAForm.expanded, .latent] { _ = configuration.cacheSpec(mlaForm: form) }
            }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    @Test func huggingFace() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            try Self.run("HF checkpoint", "llama-f16-sharded", [
                "config.json", "model.safetensors.index.json", "model-00001-of-00003.safetensors",
                "model-00003-of-00003.safetensors",
            ])
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    @Test func mlx() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            try Self.run("MLX checkpoint", "llama-mlx-mixed", ["config.json", "model.safetensors"])
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    @Test func gguf() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            try Self.run("GGUF llama with a tokenizer", "llama-mixed.gguf", [""])
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    @Test func ggufDeepSeek() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            try Self.run("GGUF deepseek2", "deepseek-split.gguf", [""])
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    /// Damages `parts` of a copy of a checkpoint; an empty name is the checkpoint itself.
    private static func run(_ name: String, _ checkpoint: String, _ parts: [String]) throws {
        let copy = FileManager.default.temporaryDirectory.path + "/kvlab-fuzz-\(getpid())-\(checkpoint)"
        try FileManager.default.copyItem(atPath: fixtures + "/" + checkpoint, toPath: copy)
        let files = try parts.map { part in
            let path = part.isEmpty ? copy : copy + "/" + part
            return (path, Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        }
        let execution = Execution(workers: WorkerPool(threads: 2))
        let scheme = try CacheScheme(expression: "fp32")
        Fuzz(name, files: files, seconds: 1).run(
            isRefusal: { $0 is ModelsError || $0 is TensorsError || $0 is TextError }
        ) { _ in
            let checkpoint = try Checkpoint.open(copy)
            if case .metadata = checkpoint.tokenizer { _ = try checkpoint.loadTokenizer().encode("t0 t1 é") }
            let model = try checkpoint.model(bits: .eight, execution: execution)
            let layout = try CacheLayout(spec: model.cacheSpec, scheme: scheme)
            let cache = AgentCache(agent: "fuzz", layout: layout, pool: BlockPool(budgetBytes: .max))
            _ = try Engine(model: model, execution: execution).prefill(cache, [1, 2, 3])
        }
        try? FileManager.default.removeItem(atPath: copy)
    }
}
