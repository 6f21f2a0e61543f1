import ArgumentParser
import Experiments

/// The command line. It parses, calls and prints; it computes nothing.
@main
struct Kvlab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvlab",
        abstract: "Measures quantized, persistent KV caches, and compares them with what the papers say.",
        discussion: """
            Start with:  kvlab reproduce --profile quick
            Weights are synthetic where a table says so: good for speed and memory, never for quality.
            """,
        version: Version.current,
        subcommands: [
            RunCommand.self, ReproduceCommand.self, CompareCommand.self, TuneCommand.self, ReportCommand.self, ClaimsCommand.self,
            CheckCommand.self, CalibrateCommand.self, BenchCommand.self, GenerateCommand.self, LogitsCommand.self,
            TokenizeCommand.self, CacheCommand.self, HandoffCommand.self, ExportCommand.self, TasksCommand.self, RestoreJobCommand.self,
            ExperimentsCommand.self, ShapesCommand.self, SchemesCommand.self, SchemeCommand.self, ModelsCommand.self, MachineCommand.self,
        ])

    static func main() async {
        Failure.explainFilesCutShort()
        Failure.leaveOnInterrupt()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Failure.exit(with: error)
        }
    }
}
