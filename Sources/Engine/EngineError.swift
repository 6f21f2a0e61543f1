/// What can go wrong around a run of a model, each as one sentence.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case noTokenizer(checkpoint: String, isFolder: Bool)
    case cannotUseFolder(folder: String, reason: String)

    public var description: String {
        switch self {
        case .noTokenizer(let checkpoint, isFolder: true):
            "\(checkpoint) has no tokenizer; put its tokenizer.json beside the weights, or use a command that takes token ids."
        case .noTokenizer(let checkpoint, isFolder: false):
            "\(checkpoint) holds no tokenizer; take a file that does, or use a command that takes token ids."
        case .cannotUseFolder(let folder, let reason): "Cannot use the folder \(folder): \(reason)."
        }
    }
}
