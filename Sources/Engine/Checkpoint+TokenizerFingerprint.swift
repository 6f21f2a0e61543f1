import Foundation
import Models

extension Checkpoint {
    /// SHA-256 of what turns text into ids: the tokenizer's file, or what a GGUF file says of it. "none" for weights alone.
    /// - Throws: ``ModelsError/cannotRead(file:reason:)``.
    public func tokenizerFingerprint() throws -> String {
        switch tokenizer {
        case .none: return "none"
        case .metadata(let metadata):
            return digest(
                "\(metadata.model) \(metadata.pre ?? "") \(metadata.tokens) \(metadata.scores) \(metadata.types) \(metadata.merges)")
        case .folder(let folder):
            let path = "\(folder)/tokenizer.json"
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ModelsError.cannotRead(file: path, reason: "there is no such file, or it may not be read")
            }
            return digest(String(decoding: data, as: UTF8.self))
        }
    }
}
