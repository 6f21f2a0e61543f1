import Experiments
import Foundation

/// Progress on standard error: one line that changes, with the time left, on a terminal; one line for each finished cell
/// elsewhere.
struct ProgressPrinter {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1

    func report(_ event: Runner.Event) {
        switch event {
        case .warning(let text): Failure.printError("Warning: \(text)")
        case .opened(let folder, let finished, let total):
            Failure.printError(
                finished == 0
                    ? "\(folder): \(total) cells." : "\(folder): \(total) cells, \(finished) of them finished before.")
        case .started(let cell, let index, let total, let left):
            guard isTerminal else { return }
            let left = left.map { ", \(Self.text($0)) left" } ?? ""
            write("\r\u{1B}[2K[\(index + 1)/\(total)\(left)] \(cell)")
        case .finished(let cell, let index, let total, let seconds, let left):
            guard !isTerminal else {
                if index + 1 == total { write("\r\u{1B}[2K") }
                return
            }
            Failure.printError("[\(index + 1)/\(total)] \(cell): \(Self.text(seconds)), \(Self.text(left)) left")
        }
    }

    /// A line that changes on a terminal, and goes when all is done; nothing elsewhere.
    static func bytes(_ what: String) -> (_ done: Int, _ total: Int) -> Void {
        let printer = ProgressPrinter()
        return { done, total in
            guard printer.isTerminal else { return }
            printer.write("\r\u{1B}[2K" + (done < total ? "\(what): \(100 * done / total) %" : ""))
        }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private static func text(_ seconds: Double) -> String {
        if seconds < 10 { return String(format: "%.1f s", seconds) }
        if seconds < 120 { return String(format: "%.0f s", seconds) }
        if seconds < 7200 { return String(format: "%.0f min", seconds / 60) }
        return String(format: "%.1f h", seconds / 3600)
    }
}
