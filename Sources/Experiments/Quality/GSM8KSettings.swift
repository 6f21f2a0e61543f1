import Foundation
import Text

/// GSM8K among an experiment's tasks, where its file is there: settings `gsm8k_if_there`, `gsm8k_problems` and `gsm8k_tokens`.
struct GSM8KSettings {
    /// The name of GSM8K among the tasks.
    static let task = "gsm8k"

    /// Empty where the file is not there.
    let problems: [GSM8K.Problem]
    /// Tokens of an answer.
    let maximumTokens: Int

    /// - Throws: what reading settings throws, and what ``GSM8K/init(path:)`` throws of a file that is there.
    init(_ settings: Settings, in laboratory: Laboratory) throws {
        let path = laboratory.path(try settings.string("gsm8k_if_there"))
        let count = try settings.int("gsm8k_problems", in: 1...1_000_000)
        maximumTokens = try settings.int("gsm8k_tokens", in: 1...100_000)
        problems = FileManager.default.fileExists(atPath: path) ? Array(try GSM8K(path: path).problems.prefix(count)) : []
    }

    /// What answering `count` problems costs, as bytes of a text that is only read. A token that is generated takes about as
    /// long as ten that are read.
    func cost(of count: Int) -> Int { count * (1500 + 10 * maximumTokens) }
}
