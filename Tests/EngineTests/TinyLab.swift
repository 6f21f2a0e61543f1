import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

/// A small model with synthetic weights, and a folder that goes with it.
final class TinyLab {
    let execution: Execution
    let model: any LanguageModel
    let engine: Engine
    let layout: CacheLayout
    let pool = BlockPool(budgetBytes: 256 << 20)
    let folder: String

    init(
        scheme: String, compute: Compute, threads: Int = 2, isa: kl_isa = kl_isa_best(), shape: TinyShape = .llama,
        mlaForm: MLAForm = .expanded
    ) throws {
        execution = Execution(workers: WorkerPool(threads: threads), isa: isa, compute: compute)
        folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(shape.configuration.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
        model = try ModelRegistry.model(
            name: "tiny", configuration: ModelRegistry.configuration(path: folder + "/config.json"),
            weights: SyntheticWeights(seed: 7, execution: execution), execution: execution, mlaForm: mlaForm)
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
