import ArgumentParser
import Experiments
import Reports
import Results

struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "Say of every claim of the papers what a run came to.",
        discussion: """
            Example: kvlab claims results/latest/results.h5
            Claims and the rules that decide them: datasets/paper/claims.yaml.
            """)

    @Argument(help: "The results.h5 of a run.")
    var results: String

    @Flag(help: "Print a JSON array, one object for each claim.")
    var json = false

    func run() throws {
        let ledger = try ClaimLedger(PublishedNumbers(folder: ProjectFiles.locate().publishedNumbers))
        let outcomes = try ledger.decide(try ResultsFile.read(from: results))
        if json { return print(try ClaimOutcome.json(outcomes)) }
        let style = TerminalStyle.output
        let colours: [String: TerminalStyle.Colour] = ["reproduced": .green, "differs": .yellow]
        for outcome in outcomes {
            print(outcome.text { verdict, text in style.paint(text, colours[verdict.text] ?? .dim) } + "\n")
        }
        print(ClaimOutcome.counts(outcomes) + ".")
    }
}
