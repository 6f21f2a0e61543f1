import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

/// A small Llama with synthetic weights, and a folder that goes with it.
final class TinyLab {
    let execution: Execution
    let model: Decoder
    let engine: Engine
    let layout: CacheLayout
    let pool = BlockPool(budgetBytes: 256 << 20)
    let folder: String

    init(
        scheme: String, compute: Compute, threads: Int = 2, isa: kl_isa = kl_isa_best(), ropeBase: Double = 500_000
    ) throws {
        execution = Execution(workers: WorkerPool(threads: threads), isa: isa, compute: compute)
        folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let json = """
            {"model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 3,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000,
             "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": \(ropeBase),
             "tie_word_embeddings": true}
            """
        try Data(json.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
        let configuration = try LlamaConfiguration(ConfigurationFile(path: folder + "/config.json"))
        model = try configuration.model(
            name: "tiny", weights: SyntheticWeights(seed: 7, execution: execution), execution: execution)
        engine = Engine(model: model, execution: execution)
        layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: scheme))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func cache(_ agent: String = "tester") -> AgentCache { AgentCache(agent: agent, layout: layout, pool: pool) }

    func tokens(_ count: Int, seed: UInt64 = 3) -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: count * 2)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        return (0..<count).map { (Int32(bytes[2 * $0]) << 8 | Int32(bytes[2 * $0 + 1])) % 1000 }
    }
}
