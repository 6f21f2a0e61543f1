/// One document of a task: a text, and where in it the answers stand.
public struct TaskDocument: Sendable, Equatable, Codable {
    /// An answer's place in the text, in bytes of UTF-8; a model must predict all of its tokens.
    public struct Answer: Sendable, Equatable, Codable {
        public let start: Int
        public let length: Int
        /// Bytes between the end of the fact that is asked for and the start of the answer; 0 when nothing is looked up.
        public let distance: Int
    }

    public let task: TaskKind
    public let split: TaskSplit
    public let seed: UInt64
    /// Which document of the seed's this is.
    public let index: Int
    public let text: String
    /// In the order of the text; none overlaps another.
    public let answers: [Answer]
}

/// Writes a document piece by piece and notes where the answers stand.
struct TaskText {
    private(set) var text = ""
    private(set) var answers: [TaskDocument.Answer] = []

    /// Bytes written so far.
    var end: Int { text.utf8.count }

    mutating func write(_ piece: String) { text += piece }

    /// Writes an answer to what stands before `factEnd`.
    mutating func writeAnswer(_ piece: String, factEnd: Int? = nil) {
        let start = end
        text += piece
        answers.append(.init(start: start, length: end - start, distance: factEnd.map { start - $0 } ?? 0))
    }
}
