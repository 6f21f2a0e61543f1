import Crypto
import Foundation
import Models
import Tensors

/// The tiny checkpoints of `Tests/Fixtures/checkpoints`; see its README.
enum CheckpointFixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/checkpoints").standardized.path
    static let execution = Execution(workers: WorkerPool(threads: 2))

    /// Names of checkpoints, as `golden.json` has them.
    static let names = [
        "llama-bf16", "llama-f16-sharded", "llama-mlx-q4", "llama-mlx-q8", "llama-mlx-mixed", "llama-f32",
        "llama-mixed", "gemma-f32", "gemma-q8_0", "deepseek-bf16", "deepseek-mlx-q4", "deepseek-split",
        "deepseek-whole",
    ]

    static func path(_ name: String) -> String {
        let file = "\(folder)/\(name).gguf"
        return FileManager.default.fileExists(atPath: file) ? file : "\(folder)/\(name)"
    }

    static func open(_ name: String) throws -> Checkpoint { try Checkpoint.open(path(name)) }

    /// What make_checkpoints.py found with other tools.
    struct Golden: Decodable {
        /// SHA-256 by checkpoint and tensor.
        let tensors: [String: [String: String]]
        let tokens: [Int32]
        /// [tokens, vocabulary] by architecture.
        let logits: [String: [[Float]]]
    }

    static let golden = try! JSONDecoder().decode(
        Golden.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/golden.json")))

    /// Shapes of the tensors of a checkpoint, by its architecture's HuggingFace folder.
    static func shapes(of name: String) throws -> [String: [Int]] {
        let twin = ["llama": "llama-bf16", "gemma": "gemma-f32", "deepseek": "deepseek-bf16"]
        let file = try SafetensorsFile(
            path: "\(folder)/\(twin[String(name.split(separator: "-")[0])]!)/model.safetensors")
        return file.entries.mapValues(\.shape)
    }

    /// Rows of a matrix as floats.
    static func values(_ linear: Linear) -> [Float] {
        var values = [Float](repeating: 0, count: linear.rows * linear.cols)
        values.withUnsafeMutableBufferPointer { out in
            for row in 0..<linear.rows { linear.dequantize(row: row, into: out.baseAddress! + row * linear.cols) }
        }
        return values
    }

    static func hash(_ values: [Float]) -> String {
        values.withUnsafeBytes { SHA256.hash(data: $0) }.map { String(format: "%02x", $0) }.joined()
    }

    /// A copy of a checkpoint that a test may damage; the caller removes it.
    static func copy(_ name: String) throws -> String {
        let source = path(name)
        let target =
            FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
            + (source.hasSuffix(".gguf") ? ".gguf" : "")
        try FileManager.default.copyItem(atPath: source, toPath: target)
        return target
    }
}
