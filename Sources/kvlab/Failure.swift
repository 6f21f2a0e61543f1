import ArgumentParser
import Foundation
import Synchronization

/// Exit statuses: 0 only when all of it worked, 1 for a failure, 2 for bad usage, 130 for an interrupt.
enum Failure {
    static let usage: Int32 = 2

    /// Prints what went wrong, in the words of the error, and leaves.
    static func exit(with error: any Error) -> Never {
        // Everything was said already.
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        let code = Kvlab.exitCode(for: error)
        if code == .success {
            print(Kvlab.message(for: error))
            Foundation.exit(0)
        }
        // The parser's own errors come with usage and status 64; ours describe themselves.
        if code == .validationFailure {
            printError(Kvlab.fullMessage(for: error))
            Foundation.exit(usage)
        }
        printError("Error: \(error)")
        Foundation.exit(1)
    }

    static func printError(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Files are read in place, and the system ends a program that reads past the end of one that was cut short
    /// meanwhile; with this it says so, with status 1.
    static func explainFilesCutShort() {
        signal(SIGBUS) { _ in
            // Nothing but these two calls is safe here.
            let text: StaticString = """
                Error: A file was cut short while it was being read, a checkpoint or an agent's cache; run this again when \
                no other program writes to it.

                """
            _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
            _exit(1)
        }
    }

    /// Ctrl-C leaves at once, with status 130: every file is written whole or not at all, and finished cells are kept.
    /// - Parameter advice: what to do then; of several calls the last one's.
    static func leaveOnInterrupt(_ advice: String = "") {
        interrupt.withLock { interrupt in
            interrupt.advice = advice
            guard interrupt.source == nil else { return }
            signal(SIGINT, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
            source.setEventHandler {
                let advice = Self.interrupt.withLock { $0.advice }
                printError("\nInterrupted." + (advice.isEmpty ? "" : " " + advice))
                Foundation.exit(130)
            }
            source.resume()
            interrupt.source = source
        }
    }

    private struct Interrupt {
        var advice = ""
        var source: (any DispatchSourceSignal)?
    }

    private static let interrupt = Mutex(Interrupt())
}
