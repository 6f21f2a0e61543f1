import ArgumentParser
import Experiments
import Foundation
import Reports
import Results
import Tensors

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Draw tables and figures again from a results file, without measuring.",
        discussion: "Example: kvlab report results/latest/results.h5 --format md,svg")

    @Argument(help: "The results.h5 of a run; its folder gets the report.")
    var results: String

    @Option(help: "Formats, separated by commas: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")); all by default.")
    var format: String?

    @Option(help: "Write the report into this folder instead.")
    var out: String?

    func run() async throws {
        let formats = try format?.split(separator: ",").map { name in
            guard let format = ReportFormat(rawValue: String(name)) else {
                throw ValidationError(
                    "Unknown format '\(name)'. Available: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            return format
        }
        try await Self.write(
            try ResultsFile.read(from: results), beside: results,
            published: ProjectFiles.locate().publishedNumbers, formats: Set(formats ?? []), folder: out)
    }

    /// Writes the report and prints what it came to, or `summary` of it. No formats means all.
    static func write(
        _ file: ResultsFile, beside path: String, published: String, formats: Set<ReportFormat>, folder: String? = nil,
        summary: (ReportWriter, ResultsFile, String) throws -> String = { try $0.terminalSummary($1, resultsPath: $2) }
    ) async throws {
        let folder = folder ?? parentFolder(of: path)
        let shown = "results/\(file.run.runID)/results.h5"
        let writer = ReportWriter(published: published)
        print(TerminalStyle.output.verdicts(in: try summary(writer, file, shown)))
        try await writer.write(
            file, resultsPath: shown, to: folder,
            formats: formats.isEmpty ? Set(ReportFormat.allCases) : formats)
        print("Report: \(folder)/report.md" + (formats.isEmpty || formats.contains(.html) ? " and report.html" : ""))
    }
}
