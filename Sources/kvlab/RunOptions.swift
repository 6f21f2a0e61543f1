import ArgumentParser
import Engine
import Experiments
import Foundation
import Models
import Reports
import Results
import Tensors

/// How and where to compute.
struct ExecutionOptions: ParsableArguments {
    @Option(help: "Threads; all cores by default.")
    var threads: Int = WorkerPool.coreCount

    @Option(help: "Instruction set of the kernels: \(Execution.isaNames.map(\.name).joined(separator: ", ")); the best one by default.")
    var isa: String?

    @Option(help: "Arithmetic: fast (integer dot products) or reference (32-bit floats).")
    var compute: String = Compute.fast.rawValue

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, and is \(threads).")
        }
        _ = try arithmetic()
    }

    func execution() throws -> Execution {
        Execution(
            workers: WorkerPool(threads: threads), isa: try Execution.isa(named: isa), compute: try arithmetic())
    }

    private func arithmetic() throws -> Compute {
        guard let compute = Compute(rawValue: compute) else {
            throw ValidationError("--compute must be fast or reference, and is '\(compute)'.")
        }
        return compute
    }
}

/// What `run` and `reproduce` share.
struct RunOptions: ParsableArguments {
    @Option(help: "quick (minutes), laptop (at most 20 minutes) or paper (full size, hours).")
    var profile: String = "laptop"

    @Option(name: .customLong("set"), help: ArgumentHelp("Override a setting, in YAML.", valueName: "key=value"))
    var overrides: [String] = []

    @Option(help: "Folder of all runs.")
    var out: String = "results"

    @Flag(help: "Go on with the newest unfinished run of the same settings.")
    var resume = false

    @OptionGroup var execution: ExecutionOptions

    /// Runs, reports, and prints what it came to, or `summary` of it. `settings` are overrides before those of the command
    /// line.
    func run(
        _ paths: [String], files: ProjectFiles, settings: [String] = [],
        summary: (ReportWriter, ResultsFile, String) throws -> String = { try $0.terminalSummary($1, resultsPath: $2) }
    ) async throws {
        let execution = try execution.execution()
        var request = Runner.Request(
            files: try paths.map { try ExperimentFile(path: $0) }, profile: profile, resultsFolder: out,
            arguments: CommandLine.arguments)
        request.overrides = settings + overrides
        request.resume = resume
        Failure.leaveOnInterrupt("Finished cells are kept; the same command with --resume goes on after them.")
        let progress = ProgressPrinter()
        let directory = try Runner(request: request, execution: execution, files: files, report: progress.report).run()
        try await ReportCommand.write(
            directory.file, beside: directory.resultsPath, published: files.publishedNumbers, formats: [], summary: summary)
        try directory.writeManifest()
    }
}
