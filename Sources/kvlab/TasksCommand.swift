import ArgumentParser
import Engine
import Experiments
import Foundation
import Models
import Schemes
import Text

struct TasksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Documents that ask for exact answers: to train on, and to score a cache with.",
        subcommands: [TasksGenerateCommand.self, TasksScoreCommand.self])
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

    @Option(help: "The most that a step of a word problem adds or takes.")
    var largestStep: Int = 9

    @Option(help: "Words to copy.")
    var words: TaskRange = TaskRange(20...20)

    @Flag(help: "Draw each word to copy anew, so that one may come twice: harder to copy.")
    var repeatedWords = false

    @Option(help: "Agents of a dialogue.")
    var agents: TaskRange = TaskRange(5...5)

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--count must be at least 1.") }
    }

    func run() throws {
        let settings = TaskSettings(
            facts: facts.range, questions: questions.range, distractors: distractors.range, steps: steps.range,
            largestStep: largestStep, words: words.range, repeatedWords: repeatedWords, agents: agents.range)
        let generator = try TaskGenerator(task: task, split: split, seed: seed, settings: settings)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for index in 0..<count {
            FileHandle.standardOutput.write(try encoder.encode(generator.document(index)) + Data("\n".utf8))
        }
    }
}

struct TasksScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Count the right answers of a model on task documents, with a cache scheme.",
        discussion: "Example: kvlab tasks score --weights datasets/checkpoints/llama-mini --kv affine-q4-g64 --file recall.jsonl")

    @OptionGroup var weights: WeightsOptions
    @OptionGroup var execution: ExecutionOptions

    @Option(help: "Documents as `tasks generate` writes them.")
    var file: String

    @Option(help: "Refuse documents of another seed.")
    var seed: UInt64?

    @Flag(help: "Print JSON: for each document its task, index, and whether each answer is right.")
    var json = false

    func run() throws {
        let documents = try TaskFile(path: file, seed: seed).documents
        let execution = try execution.execution()
        let checkpoint = try Checkpoint.open(weights.weights)
        let scheme = try CacheScheme(expression: weights.kv)
        let tokenizer = try checkpoint.loadTokenizer()
        let engine = Engine(model: try weights.model(checkpoint, execution), execution: execution)
        let scorer = try TaskScorer(engine: engine, tokenizer: tokenizer, scheme: scheme)
        var right: [TaskKind: Int] = [:]
        var total: [TaskKind: Int] = [:]
        for document in documents {
            let scored = try scorer.score(document)
            right[document.task, default: 0] += scored.count { $0 }
            total[document.task, default: 0] += scored.count
            if json {
                print(#"{"task": "\#(document.task.rawValue)", "index": \#(document.index), "right": \#(scored)}"#)
            }
        }
        guard !json else { return }
        for task in TaskKind.allCases {
            if let count = total[task] { print("\(task.rawValue): \(right[task]!) of \(count) answers right") }
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
