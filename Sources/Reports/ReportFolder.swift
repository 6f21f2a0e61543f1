import Foundation

/// The folder that a report is written into. Each file appears whole or not at all: it is written beside its place
/// under a temporary name and renamed.
struct ReportFolder {
    let path: String
    /// Files written so far, relative to ``path``.
    private(set) var written: [String] = []

    init(path: String) { self.path = path }

    /// - Throws: ``ReportsError/unwritable(file:reason:)``.
    mutating func write(_ text: String, to file: String) throws {
        try write(Data(text.utf8), to: file)
    }

    mutating func write(_ bytes: Data, to file: String) throws {
        let url = URL(fileURLWithPath: path).appendingPathComponent(file)
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try bytes.write(to: url, options: .atomic)
        } catch {
            throw ReportsError.unwritable(file: url.path, reason: error.localizedDescription)
        }
        written.append(file)
    }
}
