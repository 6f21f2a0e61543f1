import Foundation

/// The built program, and a folder for what it writes.
final class Program {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardized.path
    let folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"

    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    init() { try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Starts the program in the project's folder.
    /// - Returns: the process, its standard output, and the path of a file with its standard error.
    func start(_ arguments: [String]) throws -> (Process, Pipe, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.root + "/.build/release/kvlab")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: Self.root)
        let output = Pipe()
        let errors = "\(folder)/errors-\(UUID().uuidString)"
        FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        return (process, output, errors)
    }

    /// Runs the program to its end.
    func run(_ arguments: [String]) throws -> Outcome {
        let (process, output, errors) = try start(arguments)
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}
