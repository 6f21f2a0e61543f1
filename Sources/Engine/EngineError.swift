/// What can go wrong around a run of a model, each as one sentence.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    case noTokenizer(checkpoint: String)
    case cannotUseFolder(folder: String, reason: String)
    case queueFull(agent: String, waiting: Int)
    case agentTooLarge(agent: String, needed: Int, budget: Int)

    public var description: String {
        switch self {
        case .noTokenizer(let checkpoint):
            "\(checkpoint) has no tokenizer; put its tokenizer.json beside the weights, or give token ids."
        case .cannotUseFolder(let folder, let reason): "Cannot use the folder \(folder): \(reason)."
        case .queueFull(let agent, let waiting):
            "The request of agent '\(agent)' is refused: \(waiting) are waiting, which is the limit; try again later."
        case .agentTooLarge(let agent, let needed, let budget):
            "Agent '\(agent)' needs up to \(needed) bytes of cache for this request and the budget is \(budget) bytes; "
                + "shorten the prompt, ask for fewer tokens or raise the budget."
        }
    }
}
