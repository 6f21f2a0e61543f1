import Caches

/// What a `config.json` says of a model: enough to size its caches without any weights.
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
}

/// Every architecture there is, by `model_type`. A new one adds one line here.
public enum ModelRegistry {
    typealias Reader = @Sendable (ConfigurationFile) throws -> any ModelConfiguration

    static let readers: [(modelTypes: [String], read: Reader)] = [
        (LlamaConfiguration.modelTypes, { try LlamaConfiguration($0) }),
        (Gemma3Configuration.modelTypes, { try Gemma3Configuration($0) }),
        (DeepSeekV2Configuration.modelTypes, { try DeepSeekV2Configuration($0) }),
    ]

    /// Every `model_type` that can be read.
    public static var modelTypes: [String] { readers.flatMap(\.modelTypes) }

    /// Reads the configuration in `path`, a `config.json`.
    public static func configuration(path: String) throws -> any ModelConfiguration {
        try configuration(ConfigurationFile(path: path))
    }

    /// Reads a `config.json`.
    public static func configuration(_ file: ConfigurationFile) throws -> any ModelConfiguration {
        let type = try file.string("model_type")
        guard let entry = readers.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelsError.unsupported(file: file.path, what: "model_type", found: type, supported: modelTypes)
        }
        return try entry.read(file)
    }
}

extension ModelRegistry {
    /// Every `model_type` that can be run, not only sized.
    public static let runnable = LlamaConfiguration.modelTypes

    /// A model of a configuration with weights from `weights`.
    /// - Throws: ``ModelsError/unsupported(file:what:found:supported:)`` for an architecture that can only be sized.
    public static func model(
        name: String, configuration: any ModelConfiguration, weights: some WeightSource, execution: Execution
    ) throws -> any LanguageModel {
        switch configuration {
        case let configuration as LlamaConfiguration:
            try configuration.model(name: name, weights: weights, execution: execution)
        default:
            throw ModelsError.unsupported(
                file: name, what: "running a model of type", found: type(of: configuration).modelTypes[0],
                supported: runnable)
        }
    }
}
