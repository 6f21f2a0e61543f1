/// What can go wrong around a run of a model, each as one sentence.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case noTokenizer(checkpoint: String)

    public var description: String {
        switch self {
        case .noTokenizer(let checkpoint):
            "\(checkpoint) has no tokenizer; put its tokenizer.json beside the weights, or give token ids."
        }
    }
}
