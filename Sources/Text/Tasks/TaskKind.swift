/// What a task asks of a cache.
public enum TaskKind: String, Sendable, Codable, CaseIterable {
    /// The code of one agent among many ("Code: Mara 4821.").
    case recall
    /// The codes of three agents in one answer.
    case recallSeveral = "recall-several"
    /// A word problem in two to four steps, each written out, then "#### n" as in GSM8K.
    case arithmetic
    /// A list of words, once more and verbatim.
    case copy
    /// A request in words, then the call of a tool as one JSON object.
    case toolCall = "tool-call"
    /// Agents who hand a number and a place on to each other, turn by turn.
    case dialogue

    /// One line for lists of tasks.
    public var summary: String {
        switch self {
        case .recall: "the code of one agent among many"
        case .recallSeveral: "the codes of three agents in one answer"
        case .arithmetic: "a word problem, step by step, then '#### n'"
        case .copy: "a list of words, verbatim"
        case .toolCall: "a request in words as one JSON object"
        case .dialogue: "agents who hand facts on, turn by turn"
        }
    }
}
