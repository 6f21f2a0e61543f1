import Tensors

extension Checkpoint {
    static func openGGUF(_ path: String) throws -> Checkpoint {
        if path.hasSuffix(".safetensors") || path.hasSuffix(".json") {
            throw ModelsError.cannotRead(file: path, reason: "it is a part of a checkpoint; name its folder")
        }
        let file = try GGUFFile(path: path)
        let reader = try GGUFConfiguration(file)
        let configuration = ConfigurationFile(path: path, object: try reader.object())
        let queryHeads = try configuration.int("num_attention_heads")
        let tensors = GGUFTensors(
            file, architecture: reader.architecture, queryHeads: queryHeads,
            keyHeads: try configuration.int("num_key_value_heads", default: queryHeads))
        return try Checkpoint(
            path: path, format: .gguf, configurationFile: configuration,
            tokenizer: try TokenizerMetadata(file).map(CheckpointTokenizer.metadata) ?? .none, tensors: tensors)
    }
}
