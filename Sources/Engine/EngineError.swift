/// What can go wrong around a run of a model, each as one sentence.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case noTokenizer(checkpoint: String, isFolder: Bool)
    case queueFull(agent: String, waiting: Int)
    case agentTooLarge(agent: String, needed: Int, budget: Int)
    case needsRotations(card: String, from: String, to: Int)
    case mixedPrecision(card: String, schemes: [String])

    public var description: String {
        switch self {
        case .noTokenizer(let checkpoint, isFolder: true):
            "\(checkpoint) has no tokenizer; put its tokenizer.json beside the weights, or use a command that takes token ids."
        case .noTokenizer(let checkpoint, isFolder: false):
            "\(checkpoint) holds no tokenizer; take a file that does, or use a command that takes token ids."
        case .queueFull(let agent, let waiting):
            "The request of agent '\(agent)' is refused: \(waiting) are waiting, which is the limit; try again later."
        case .agentTooLarge(let agent, let needed, let budget):
            "Agent '\(agent)' needs up to \(needed) bytes of cache for this request and the budget is \(budget) bytes; "
                + "shorten the prompt, ask for fewer tokens or raise the budget."
        case .needsRotations(let card, let from, let to):
            "\(card) has keys of \(from), and they go to position \(to); name the model with --weights, so that they can be "
                + "turned."
        case .mixedPrecision(let card, let schemes):
            "\(card) has tokens in \(schemes.joined(separator: " and ")), and a saved cache has one scheme; name it with --kv."
        }
    }
}
