import ArgumentParser
import Experiments
import Reports
import Results

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compare two results files, number by number, and say what changed.",
        discussion: """
            Example: kvlab check results/reference/results.h5 results/latest/results.h5
            Counts and bytes change when they are not equal, times and rates when their intervals do not overlap.
            Exit status: 0 when nothing changed, 1 when something did or a file cannot be read, 2 for bad usage.
            """)

    @Argument(help: "The results.h5 of a run.")
    var first: String

    @Argument(help: "The results.h5 of another machine, commit or day.")
    var second: String

    @Flag(help: "Print JSON: facts, counts, and every number that is not the same.")
    var json = false

    func run() throws {
        let comparison = try RunComparison(
            try ResultsFile.read(from: first), try ResultsFile.read(from: second),
            published: ProjectFiles.locate().publishedNumbers)
        print(json ? try comparison.json() : comparison.text)
        if !comparison.isSame { throw ExitCode(1) }
    }
}
