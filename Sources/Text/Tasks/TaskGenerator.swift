/// Makes documents of a task from a seed; the same ones on every machine.
///
/// ```
/// let generator = try TaskGenerator(task: .recall, split: .test, seed: 7)
/// generator.document(0).text   // "Code: Mara 4821.\n… \nAnswer: Mara 4821.\n"
/// ```
public struct TaskGenerator: Sendable {
    public let task: TaskKind
    public let split: TaskSplit
    public let seed: UInt64
    public let settings: TaskSettings

    /// - Throws: ``TextError/badTaskSetting(name:value:allowed:)``.
    public init(task: TaskKind, split: TaskSplit, seed: UInt64, settings: TaskSettings = TaskSettings()) throws(TextError) {
        try Self.check("facts", settings.facts, 1...TaskSettings.maximumFacts)
        try Self.check("questions", settings.questions, 1...settings.facts.lowerBound)
        try Self.check("distractors", settings.distractors, 0...1000)
        try Self.check("steps", settings.steps, TaskSettings.allowedSteps)
        try Self.check("largest step", settings.largestStep...settings.largestStep, TaskSettings.allowedLargestSteps)
        try Self.check("words", settings.words, 2...(settings.repeatedWords ? 10_000 : TaskSettings.maximumDistinctWords))
        try Self.check("agents", settings.agents, 2...TaskSettings.maximumFacts)
        if task == .recallSeveral {
            try Self.check("facts", settings.facts, RecallTask.several...TaskSettings.maximumFacts)
        }
        self.task = task
        self.split = split
        self.seed = seed
        self.settings = settings
    }

    /// Document number `index`, which depends on nothing but the seed, the task, the split, the settings and the index.
    public func document(_ index: Int) -> TaskDocument {
        var random = TaskRandom(seed: seed, stream: "\(task.rawValue)/\(split.rawValue)", index: index)
        var text = TaskText()
        switch task {
        case .recall: RecallTask.write(to: &text, &random, split, settings)
        case .recallSeveral: RecallTask.writeSeveral(to: &text, &random, split, settings)
        case .arithmetic: ArithmeticTask.write(to: &text, &random, split, settings)
        case .copy: CopyTask.write(to: &text, &random, split, settings)
        case .toolCall: ToolCallTask.write(to: &text, &random, split)
        case .dialogue: DialogueTask.write(to: &text, &random, split, settings)
        }
        return TaskDocument(
            task: task, split: split, seed: seed, index: index, text: text.text, answers: text.answers)
    }

    private static func check(
        _ name: String, _ range: ClosedRange<Int>, _ allowed: ClosedRange<Int>
    ) throws(TextError) {
        guard allowed.contains(range.lowerBound), allowed.contains(range.upperBound) else {
            throw .badTaskSetting(name: name, value: range, allowed: allowed)
        }
    }
}
