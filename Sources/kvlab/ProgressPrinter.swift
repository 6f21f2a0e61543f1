import Experiments
import Foundation

/// Progress on standard error. On a terminal, a line for each experiment and one for the cell that is being run, with the time
/// left, drawn again in place; elsewhere, one line for each finished cell.
final class ProgressPrinter {
    private let style = TerminalStyle.errors
    private var grid = ProgressGrid([])
    /// Lines drawn last, which the next drawing replaces.
    private var drawn = 0

    func report(_ event: Runner.Event) {
        switch event {
        case .warning(let text): Failure.printError("Warning: \(text)")
        case .planned(let cells): grid = ProgressGrid(cells)
        case .opened(let folder, let finished, let total, let estimate):
            let before = finished == 0 ? "" : ", \(finished) of them finished before"
            Failure.printError("\(folder): \(total) cells\(before).")
            if let estimate { Failure.printError(Self.text(estimate)) }
        case .started(let cell, let index, let total, let left):
            guard style.isTerminal else { return }
            let left = left.map { ", \(Self.text($0)) left" } ?? ""
            draw("[\(index + 1)/\(total)\(left)] \(cell)")
        case .finished(let cell, let index, let total, let seconds, let left):
            guard style.isTerminal else {
                return Failure.printError("[\(index + 1)/\(total)] \(cell): \(Self.text(seconds)), \(Self.text(left)) left")
            }
            grid.finish(cell, seconds: seconds)
            if index + 1 == total { draw("") }
        }
    }

    /// A line that changes on a terminal, and goes when all is done; nothing elsewhere.
    static func bytes(_ what: String) -> (_ done: Int, _ total: Int) -> Void {
        let printer = ProgressPrinter()
        return { done, total in
            guard printer.style.isTerminal else { return }
            printer.write("\r\u{1B}[2K" + (done < total ? "\(what): \(100 * done / total) %" : ""))
        }
    }

    /// Draws the grid, where the terminal has room for it, and `last` below it.
    private func draw(_ last: String) {
        let size = style.size
        var lines = grid.height + 2 < size.rows ? grid.texts(style: style, columns: size.columns, duration: Self.text) : []
        // A line that the terminal breaks would not be drawn over.
        lines.append(style.paint(String(last.prefix(size.columns - 1)), .dim))
        let back = drawn > 1 ? "\u{1B}[\(drawn - 1)A" : ""
        write("\r" + back + lines.map { "\u{1B}[2K" + $0 }.joined(separator: "\n") + (last.isEmpty ? "\r" : ""))
        drawn = last.isEmpty ? 0 : lines.count
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// What is known of the time before anything ran.
    private static func text(_ estimate: TimeEstimate.Before) -> String {
        let total = estimate.cells + estimate.unknownCells
        let share = estimate.unknownCells == 0 ? "They" : "\(estimate.cells) of \(total)"
        let machine = estimate.machine.isEmpty ? "" : " (\(estimate.machine))"
        return "\(share) took \(text(estimate.seconds)) in results/reference\(machine)"
            + (estimate.unknownCells == 0 ? "." : "; the others are not in it.")
    }

    private static func text(_ seconds: Double) -> String {
        if seconds < 10 { return String(format: "%.1f s", seconds) }
        if seconds < 120 { return String(format: "%.0f s", seconds) }
        if seconds < 7200 { return String(format: "%.0f min", seconds / 60) }
        return String(format: "%.1f h", seconds / 3600)
    }
}
