import Foundation

extension Checkpoint {
    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// A folder of transformers, or of mlx-lm if its configuration has `quantization`.
    static func openFolder(_ path: String) throws -> Checkpoint {
        let configuration = try ConfigurationFile(path: path + "/config.json")
        let quantization = try MLXQuantization(configuration)
        let tensors = try FolderTensors(shards: SafetensorsShards(folder: path), quantization: quantization)
        let hasTokenizer = FileManager.default.fileExists(atPath: path + "/tokenizer.json")
        return try Checkpoint(
            path: path, format: quantization == nil ? .huggingFace : .mlx, configurationFile: configuration,
            tokenizer: hasTokenizer ? .folder(path) : .none, tensors: tensors)
    }
}
