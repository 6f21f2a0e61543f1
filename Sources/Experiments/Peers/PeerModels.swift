import Caches
import Engine
import Foundation
import Models
import Tensors

/// The files that every contender loads, in a folder that outlives the run, and one of them loaded here.
final class PeerModels {
    private let folder: String
    private let laboratory: Laboratory
    private let seed: UInt64
    private var loaded: (key: String, engine: Engine)?

    init(folder: String, laboratory: Laboratory, seed: UInt64) {
        self.folder = folder
        self.laboratory = laboratory
        self.seed = seed
    }

    /// The Q4_0 file of a shape, written unless it is there with these weights.
    /// - Throws: ``ExperimentsError/cannotWrite(folder:reason:)``, ``TensorsError/cannotWrite(file:reason:)``.
    func file(shape: String, layers: Int) throws -> String {
        let path = "\(folder)/\(shape)-\(layers)-q4_0.gguf"
        let export = try export(shape: shape, layers: layers)
        if let file = try? GGUFFile(path: path), try file.text("general.description") == export.label { return path }
        try makeFolder()
        try export.writeGGUF(to: path, type: .q4_0)
        return path
    }

    /// The HuggingFace folder of a shape in 16 bits, which hold the same weights; written unless it is there with them.
    /// - Throws: what ``file(shape:layers:)`` throws.
    func folder(shape: String, layers: Int) throws -> String {
        let path = "\(folder)/\(shape)-\(layers)-f16"
        let export = try export(shape: shape, layers: layers)
        if let file = try? SafetensorsFile(path: path + "/model.safetensors"), file.metadata["weights"] == export.label {
            return path
        }
        try makeFolder()
        try export.writeFolder(to: path, type: .f16)
        return path
    }

    /// The file of a checkpoint in 32 bits with its own tokenizer, written anew.
    /// - Throws: what ``file(shape:layers:)`` throws.
    func file(_ checkpoint: Checkpoint, tokenizer: TokenizerMetadata, mlaForm: MLAForm) throws -> String {
        let path = "\(folder)/\(checkpoint.name)-f32.gguf"
        try makeFolder()
        try ModelExport(checkpoint: checkpoint, tokenizer: tokenizer, execution: laboratory.execution)
            .writeGGUF(to: path, type: .f32, mlaForm: mlaForm)
        return path
    }

    private func export(shape: String, layers: Int) throws -> ModelExport {
        try ModelExport(
            shape: try laboratory.configurationFile(shape: shape, layers: layers),
            name: Laboratory.name(shape: shape, layers: layers), seed: seed, execution: laboratory.execution)
    }

    private func makeFolder() throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ExperimentsError.cannotWrite(folder: folder, reason: error.localizedDescription)
        }
    }

    /// The same file here, its weights in 4 bits, which hold it without a change. One model is kept.
    func engine(shape: String, layers: Int, mlaForm: String) throws -> Engine {
        let path = try file(shape: shape, layers: layers)
        let key = "\(path) \(mlaForm)"
        if let loaded, loaded.key == key { return loaded.engine }
        loaded = nil
        let model = try Checkpoint.open(path).model(
            bits: .four, execution: laboratory.execution, mlaForm: mlaForm == "latent" ? .latent : .expanded)
        let engine = Engine(model: model, execution: laboratory.execution)
        loaded = (key, engine)
        return engine
    }
}
