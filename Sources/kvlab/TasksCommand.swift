import ArgumentParser
import Foundation
import Text

struct TasksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Documents that ask for exact answers: to train on, and to score a cache with.",
        subcommands: [TasksGenerateCommand.self])
}

struct TasksGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Write documents of a task, one JSON object a line.",
        discussion: """
            Example: kvlab tasks generate --task recall --facts 30 --count 200 --split test --seed 7 > recall.jsonl
            Keys: task, split, seed, index, text, and answers: bytes of the text that a model must predict.
            """)

    @Option(help: ArgumentHelp("\(TaskKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var task: TaskKind

    @Option(help: "train or test; no test document holds an item of a training document.")
    var split: TaskSplit

    @Option(help: "The same seed writes the same documents.")
    var seed: UInt64 = 1

    @Option(help: "Documents to write.")
    var count: Int = 100

    @Option(help: "Facts of a recall document; like every range a number or two, as in 8-45.")
    var facts: TaskRange = TaskRange(30...30)

    @Option(help: "Questions of a recall document.")
    var questions: TaskRange = TaskRange(6...6)

    @Option(help: "Sentences of no use after each fact.")
    var distractors: TaskRange = TaskRange(0...1)

    @Option(help: "Steps of a word problem.")
    var steps: TaskRange = TaskRange(2...4)

    @Option(help: "Words to copy.")
    var words: TaskRange = TaskRange(20...20)

    @Option(help: "Agents of a dialogue.")
    var agents: TaskRange = TaskRange(5...5)

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--count must be at least 1.") }
    }

    func run() throws {
        let settings = TaskSettings(
            facts: facts.range, questions: questions.range, distractors: distractors.range, steps: steps.range,
            words: words.range, agents: agents.range)
        let generator = try TaskGenerator(task: task, split: split, seed: seed, settings: settings)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for index in 0..<count {
            FileHandle.standardOutput.write(try encoder.encode(generator.document(index)) + Data("\n".utf8))
        }
    }
}

extension TaskKind: ExpressibleByArgument {}
extension TaskSplit: ExpressibleByArgument {}

/// A range on the command line: "30", or "8-45".
struct TaskRange: ExpressibleByArgument {
    let range: ClosedRange<Int>

    init(_ range: ClosedRange<Int>) { self.range = range }

    init?(argument: String) {
        let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = ends.first.flatMap({ $0 }), let last = ends.last.flatMap({ $0 }), ends.count <= 2, first <= last
        else { return nil }
        range = first...last
    }

    var defaultValueDescription: String { range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)" }
}
