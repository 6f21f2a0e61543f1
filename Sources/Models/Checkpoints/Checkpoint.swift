import Caches
import Schemes
import Tensors

/// A trained model on disk: a folder of transformers or mlx-lm, or a GGUF file.
///
/// Opening reads heads and the configuration, no weights.
/// ```swift
/// let checkpoint = try Checkpoint.open("models/llama-3.2-1b")
/// let model = try checkpoint.model(bits: .four, execution: execution)
/// ```
public final class Checkpoint {
    public enum Format: String, Sendable {
        case huggingFace = "HF"
        case mlx = "MLX"
        case gguf = "GGUF"
    }

    public let path: String
    public let format: Format
    /// The last part of the path, without ".gguf".
    public let name: String
    /// The `config.json`, or what a GGUF file's metadata would be as one.
    public let configurationFile: ConfigurationFile
    public let configuration: any ModelConfiguration
    public let tokenizer: CheckpointTokenizer
    let tensors: any CheckpointTensors
    /// What was calibrated for it lies in its folder, or beside the GGUF file.
    public private(set) lazy var calibration = CalibrationSource(
        path: format == .gguf ? path + ".kvquant.safetensors" : path + "/kvquant.safetensors", model: name,
        weights: fingerprint(.sampled).description)

    init(
        path: String, format: Format, configurationFile: ConfigurationFile, tokenizer: CheckpointTokenizer,
        tensors: any CheckpointTensors
    ) throws {
        self.path = path
        self.format = format
        let last = path.split(separator: "/").last.map(String.init) ?? path
        name = last.hasSuffix(".gguf") ? String(last.dropLast(".gguf".count)) : last
        self.configurationFile = configurationFile
        self.tokenizer = tokenizer
        self.tensors = tensors
        try Self.checkLayers(configurationFile, tensors)
        configuration = try ModelRegistry.configuration(configurationFile)
    }

    /// Opens a folder with `config.json` and safetensors, or a GGUF file.
    /// - Throws: ``ModelsError`` or ``TensorsError`` naming the file, and the tensor, key or byte.
    public static func open(_ path: String) throws -> Checkpoint {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return isFolder(path) ? try openFolder(path) : try openGGUF(path)
    }

    /// What the weights are in memory, for records.
    /// - Parameter bits: nil: as the checkpoint has them; GGML blocks, which no storage keeps, become 16-bit floats.
    public func label(bits: WeightBits?) -> String { plan(bits).label }

    /// The weights, read when a model asks for them.
    public func weights(
        bits: WeightBits?, execution: Execution, progress: ((LoadingProgress) -> Void)? = nil
    ) -> CheckpointWeights {
        CheckpointWeights(
            tensors: tensors, plan: plan(bits), identity: fingerprint(.sampled).description, execution: execution,
            progress: progress)
    }

    /// The model with all of its weights.
    /// - Throws: ``ModelsError/unusedTensors(file:tensors:)`` where the checkpoint holds more than the model reads.
    public func model(
        bits: WeightBits?, execution: Execution, mlaForm: MLAForm = .expanded, limits: Decoder.StepLimits = .init(),
        progress: ((LoadingProgress) -> Void)? = nil
    ) throws -> any LanguageModel {
        let weights = weights(bits: bits, execution: execution, progress: progress)
        let model = try ModelRegistry.model(
            name: name, configuration: configuration, weights: weights, execution: execution, mlaForm: mlaForm,
            limits: limits)
        try weights.checkAllWereRead()
        for file in tensors.files { file.file.release(0..<file.file.bytes.count) }
        model.calibration = calibration
        return model
    }

    /// What caches of the model keep, and what was calibrated for it.
    public func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec {
        var spec = configuration.cacheSpec(mlaForm: mlaForm)
        spec.calibration = calibration
        return spec
    }

    private func plan(_ bits: WeightBits?) -> WeightPlan {
        WeightPlan(format: format, matrices: tensors.matrices, bits: bits)
    }

    /// A layer has a tensor: so a damaged number of layers is found before anything is allocated for them.
    private static func checkLayers(_ file: ConfigurationFile, _ tensors: any CheckpointTensors) throws {
        let file = try file.object("text_config") ?? file
        let layers = try file.int("num_hidden_layers", maximum: ConfigurationFile.maximumLayers)
        let count = tensors.required.count
        guard layers <= count else {
            throw file.bad("num_hidden_layers", "is \(layers), and the checkpoint has \(count) tensors in all")
        }
    }
}
