import Foundation
import Synchronization

/// Runs another program to its end.
struct ChildProcess {
    struct Outcome: Sendable {
        let output: Data
        /// What it wrote to standard error.
        var errors = ""
        /// nil where it ended well, else what it said last, or how it ended.
        let failure: String?
    }

    /// Runs `program` and waits, at most `timeoutSeconds`.
    /// - Parameters:
    ///   - environment: more variables than this process has.
    ///   - folder: where its standard error is kept meanwhile.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], folder: String, timeoutSeconds: Int
    ) -> Outcome {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            return Outcome(output: Data(), failure: "\(program) is not there; make peers installs it")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        // Else llama.cpp's programs call a debugger when they fail, which may wait for ever.
        process.environment = ProcessInfo.processInfo.environment.merging(["GGML_NO_BACKTRACE": "1"]) { $1 }
            .merging(environment) { $1 }
        let output = Pipe()
        let errors = "\(folder)/errors-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: errors, contents: nil),
            let errorHandle = FileHandle(forWritingAtPath: errors)
        else { return Outcome(output: Data(), failure: "\(folder) takes no files") }
        defer { try? FileManager.default.removeItem(atPath: errors) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errorHandle
        do {
            try process.run()
        } catch {
            return Outcome(output: Data(), failure: "\(program) does not start: \(error.localizedDescription)")
        }
        let timedOut = Flag()
        let alarm = DispatchWorkItem {
            timedOut.raise()
            // Not to be blocked, as a signal is that the child inherited from a worker thread.
            kill(process.processIdentifier, SIGKILL)
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(timeoutSeconds), execute: alarm)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        alarm.cancel()
        if process.terminationReason == .exit, process.terminationStatus == 0 {
            // Not all that programs say is UTF-8.
            let said = FileManager.default.contents(atPath: errors) ?? Data()
            return Outcome(output: data, errors: String(decoding: said, as: UTF8.self), failure: nil)
        }
        if timedOut.isRaised { return Outcome(output: data, failure: "it took more than \(timeoutSeconds) s and was stopped") }
        return Outcome(output: data, failure: words(of: process, errors: errors))
    }

    /// The last line of standard error, or the status.
    private static func words(of process: Process, errors: String) -> String {
        let how =
            process.terminationReason == .uncaughtSignal
            ? "it died of signal \(process.terminationStatus)" : "it ended with status \(process.terminationStatus)"
        let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
        let last = text.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }
        return last.map { "\(how): \($0)" } ?? how
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isRaised: Bool { value.load(ordering: .acquiring) }
        func raise() { value.store(true, ordering: .releasing) }
    }
}
