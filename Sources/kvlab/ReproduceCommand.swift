import ArgumentParser
import Experiments
import Tensors

struct ReproduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Run every experiment and write the whole report.",
        discussion: "Example: kvlab reproduce --profile quick --only capacity,ttft")

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("Only these experiments, separated by commas.", valueName: "ID,…"))
    var only: String?

    func run() async throws {
        let files = try ProjectFiles.locate()
        let all = files.names(in: files.experiments, suffix: ".yaml")
        let chosen = only?.split(separator: ",").map(String.init) ?? all
        for name in chosen where !all.contains(name) {
            throw ExperimentsError.unknown(
                kind: "experiment", name: name, nearest: nearestName(to: name, in: all), available: all)
        }
        try await options.run(chosen.map { "\(files.experiments)/\($0).yaml" }, files: files)
    }
}
