import ArgumentParser
import Experiments

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one experiment and write its tables and figures.",
        discussion: "Example: kvlab run experiments/ttft.yaml --profile quick --set passes=5")

    @Argument(help: "The experiment's YAML file.")
    var file: String

    @OptionGroup var options: RunOptions

    func run() async throws {
        try await options.run([file], files: ProjectFiles.locate())
    }
}
