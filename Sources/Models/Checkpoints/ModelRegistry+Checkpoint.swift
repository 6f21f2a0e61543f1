extension ModelRegistry {
    /// The configuration that `file` holds.
    static func configuration(_ file: ConfigurationFile) throws -> any ModelConfiguration {
        let type = try file.string("model_type")
        guard let entry = readers.first(where: { $0.modelTypes.contains(type) }) else {
            throw ModelsError.unsupported(file: file.path, what: "model_type", found: type, supported: modelTypes)
        }
        return try entry.read(file)
    }
}
