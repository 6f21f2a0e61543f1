/// What can go wrong with agents' caches, each as one sentence.
public enum CachesError: Error, Equatable, CustomStringConvertible {
    case budgetExceeded(needed: Int, used: Int, budget: Int)
    case cannotTruncate(agent: String, to: Int, kept: Range<Int>)
    case mismatch(file: String, what: String, expected: String, found: String)
    case damaged(file: String, what: String)

    public var description: String {
        switch self {
        case .budgetExceeded(let needed, let used, let budget):
            "The cache budget of \(budget) bytes is too small: \(used) bytes are in use and \(needed) more are needed."
        case .cannotTruncate(let agent, let to, let kept):
            "The cache of agent '\(agent)' cannot go back to \(to) tokens: its windowed layers keep tokens "
                + "\(kept.lowerBound) to \(kept.upperBound) only."
        case .mismatch(let file, let what, let expected, let found):
            "\(file) was made with \(what) '\(found)' and not '\(expected)'; it is not used."
        case .damaged(let file, let what):
            "\(file) is damaged: \(what); it is not used."
        }
    }
}
