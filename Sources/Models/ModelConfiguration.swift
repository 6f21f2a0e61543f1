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
    public static let configurations: [any ModelConfiguration.Type] = [
        LlamaConfiguration.self, Gemma3Configuration.self, DeepSeekV2Configuration.self,
    ]

    /// Reads the configuration in `path`, a `config.json`.
    public static func configuration(path: String) throws -> any ModelConfiguration {
        let file = try ConfigurationFile(path: path)
        let type = try file.string("model_type")
        guard let found = configurations.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelsError.unsupported(
                file: path, what: "model_type", found: type, supported: configurations.flatMap(\.modelTypes))
        }
        return try found.init(file)
    }
}
