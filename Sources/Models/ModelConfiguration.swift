import Caches

/// What a `config.json` says of a model: enough to size its caches without any weights, and how to put it together
/// with them.
public protocol ModelConfiguration: Sendable {
    /// `model_type` values that this configuration reads.
    static var modelTypes: [String] { get }

    /// - Throws: ``ModelsError`` naming the key that is missing, wrong or not supported.
    init(_ file: ConfigurationFile) throws

    /// The longest context in tokens.
    var contextLimit: Int { get }
    var vocabularySize: Int { get }
    /// What its caches hold. `mlaForm` matters to models with latent attention only.
    func cacheSpec(mlaForm: MLAForm) -> ModelCacheSpec
    /// How its keys are turned.
    func keyRotations(mlaForm: MLAForm) -> KeyRotations

    /// The model with weights from `weights`.
    /// - Throws: what `weights` throws, or ``TensorsError/outOfMemory(bytes:)``.
    func model(
        name: String, weights: some WeightSource, execution: Execution, mlaForm: MLAForm, limits: Decoder.StepLimits
    ) throws -> Decoder
}

/// Every architecture there is, by `model_type`. A new one adds one line here.
public enum ModelRegistry {
    static let architectures: [any ModelConfiguration.Type] = [
        LlamaConfiguration.self, Gemma3Configuration.self, DeepSeekV2Configuration.self,
    ]

    /// Every `model_type` that can be run.
    public static var modelTypes: [String] { architectures.flatMap { $0.modelTypes } }

    /// Reads the configuration in `path`, a `config.json`.
    public static func configuration(path: String) throws -> any ModelConfiguration {
        try configuration(ConfigurationFile(path: path))
    }

    /// The configuration that `file` holds.
    public static func configuration(_ file: ConfigurationFile) throws -> any ModelConfiguration {
        let type = try file.string("model_type")
        guard let architecture = architectures.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelsError.unsupported(file: file.path, what: "model_type", found: type, supported: modelTypes)
        }
        return try architecture.init(file)
    }

    /// A model of a configuration with weights from `weights`.
    /// - Parameter mlaForm: how a model with latent attention caches; nothing to other models.
    public static func model(
        name: String, configuration: any ModelConfiguration, weights: some WeightSource, execution: Execution,
        mlaForm: MLAForm = .expanded, limits: Decoder.StepLimits = .init()
    ) throws -> any LanguageModel {
        try configuration.model(name: name, weights: weights, execution: execution, mlaForm: mlaForm, limits: limits)
    }
}
