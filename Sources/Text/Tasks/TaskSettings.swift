/// How large and how hard the documents are. Each range is drawn from once a document.
public struct TaskSettings: Sendable, Equatable {
    /// Facts in a document of recall, at most ``maximumFacts``.
    public var facts: ClosedRange<Int>
    /// Questions after the facts, each about another agent.
    public var questions: ClosedRange<Int>
    /// Sentences of no use after each fact: 0 for none.
    public var distractors: ClosedRange<Int>
    /// Steps of a word problem, within ``steps(allowed:)``.
    public var steps: ClosedRange<Int>
    /// The most that one step of a word problem adds or takes, within ``allowedLargestSteps``.
    public var largestStep: Int
    /// Words to copy.
    public var words: ClosedRange<Int>
    /// Whether each word to copy is drawn anew, so that one may come twice and the next word depends on which it was.
    public var repeatedWords: Bool
    /// Agents who hand the facts of a dialogue on.
    public var agents: ClosedRange<Int>

    /// The most facts of one document: every agent has one code.
    public static let maximumFacts = TaskWords.names.count
    public static let allowedSteps = 2...4
    public static let allowedLargestSteps = 2...98
    /// The most words of one document that must all differ.
    public static let maximumDistinctWords = TaskWords.plain.count

    public init(
        facts: ClosedRange<Int> = 30...30, questions: ClosedRange<Int> = 6...6, distractors: ClosedRange<Int> = 0...1,
        steps: ClosedRange<Int> = 2...4, largestStep: Int = 9, words: ClosedRange<Int> = 20...20,
        repeatedWords: Bool = false, agents: ClosedRange<Int> = 5...5
    ) {
        self.facts = facts
        self.questions = questions
        self.distractors = distractors
        self.steps = steps
        self.largestStep = largestStep
        self.words = words
        self.repeatedWords = repeatedWords
        self.agents = agents
    }
}
