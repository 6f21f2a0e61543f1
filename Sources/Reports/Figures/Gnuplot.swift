import Foundation
import Results
import Subprocess

/// The program that draws the figures.
struct Gnuplot: Sendable {
    /// A name to look up in PATH, or a path.
    let command: String

    /// The drawings of `figure`, made in a folder of their own. The same figure gives the same bytes: gnuplot's SVG and
    /// PNG carry no time, and the creation date of the PDF is set to `nanoseconds` since 1970.
    /// - Throws: ``ReportsError/gnuplotNotFound(command:)``; ``ReportsError/gnuplotFailed(figure:message:)`` with what
    ///   gnuplot said of the script.
    func draw(_ figure: Figure, as formats: [ReportFormat], at nanoseconds: Int64) async throws -> [(
        ReportFormat, Data
    )] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(figure.data.utf8).write(to: folder.appendingPathComponent("\(figure.id).tsv"))
        try Data(figure.script.utf8).write(to: folder.appendingPathComponent("\(figure.id).gp"))
        try await run(figure, formats.map(\.rawValue).joined(separator: " "), in: folder.path)
        return try formats.map { format in
            let file = folder.appendingPathComponent("\(figure.id).\(format.rawValue)")
            guard let bytes = try? Data(contentsOf: file), !bytes.isEmpty else {
                throw ReportsError.gnuplotFailed(figure: figure.id, message: "it wrote no .\(format.rawValue)")
            }
            return (format, format == .pdf ? Self.dated(bytes, nanoseconds) : bytes)
        }
    }

    private func run(_ figure: Figure, _ formats: String, in folder: String) async throws {
        let executable: Executable = command.contains("/") ? .path(.init(command)) : .name(command)
        do {
            // The time zone is that of the PDF's creation date.
            let result = try await Subprocess.run(
                executable, arguments: ["-e", "formats='\(formats)'", "\(figure.id).gp"],
                environment: .inherit.updating(["TZ": "UTC"]), workingDirectory: .init(folder),
                output: .discarded, error: .string(limit: 1 << 20))
            // A warning of the script, such as a series without points, is a figure that lacks something; only that
            // the locale has no degree sign is harmless.
            let lines = result.standardError.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let complaint = lines.first { $0.contains("\(figure.id).gp\"") && !$0.contains("iconv") }
            guard result.terminationStatus.isSuccess, complaint == nil else {
                throw ReportsError.gnuplotFailed(
                    figure: figure.id, message: complaint ?? lines.first { !$0.isEmpty } ?? "it gave no reason")
            }
        } catch let error as SubprocessError {
            guard error.code == .executableNotFound else {
                throw ReportsError.gnuplotFailed(figure: figure.id, message: "\(error)")
            }
            throw ReportsError.gnuplotNotFound(command: command)
        }
    }

    /// `pdf` with the digits of its creation date replaced in place, so that no byte moves.
    static func dated(_ pdf: Data, _ nanoseconds: Int64) -> Data {
        let key = Data("/CreationDate (D:".utf8)
        guard let found = pdf.range(of: key) else { return pdf }
        let date = String(Timestamp.iso8601(nanoseconds).prefix(19).filter(\.isNumber))  // YYYYMMDDHHMMSS
        let place = found.upperBound..<(found.upperBound + date.count)
        guard place.upperBound <= pdf.endIndex, pdf[place].allSatisfy({ (0x30...0x39).contains($0) }) else {
            return pdf
        }
        var dated = pdf
        dated.replaceSubrange(place, with: Data(date.utf8))
        return dated
    }
}
