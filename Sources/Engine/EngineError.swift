/// What can go wrong around a run of a model, each as one sentence.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case noTokenizer(checkpoint: String, isFolder: Bool)

    public var description: String {
        switch self {
        case .noTokenizer(let checkpoint, isFolder: true):
            "\(checkpoint) has no tokenizer; put its tokenizer.json beside the weights, or use a command that takes token ids."
        case .noTokenizer(let checkpoint, isFolder: false):
            "\(checkpoint) holds no tokenizer; take a file that does, or use a command that takes token ids."
        }
    }
}
