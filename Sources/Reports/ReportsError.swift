/// What can go wrong between a results file and its report, each as one sentence.
public enum ReportsError: Error, Equatable, CustomStringConvertible {
    /// A file of published numbers that cannot be opened.
    case unreadable(file: String, reason: String)
    /// A file of published numbers that is there but damaged; lines count from 1.
    case damaged(file: String, line: Int, problem: String)
    /// A claim of the ledger that cannot be read or decided; lines count from 1.
    case badClaim(file: String, line: Int, problem: String)
    /// A results table without a column that a report table needs.
    case missingColumn(table: String, column: String, kind: String)
    /// A results table whose values contradict each other.
    case inconsistent(table: String, problem: String)
    /// A file of the report that cannot be written.
    case unwritable(file: String, reason: String)
    case gnuplotNotFound(command: String)
    case gnuplotFailed(figure: String, message: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "The published numbers in '\(file)' cannot be read: \(reason)."
        case .damaged(let file, let line, let problem):
            "The published numbers in '\(file)' are damaged at line \(line): \(problem)."
        case .badClaim(let file, let line, let problem):
            "The claims in '\(file)' are wrong at line \(line): \(problem)."
        case .missingColumn(let table, let column, let kind):
            "Results table '\(table)' has no \(kind) column '\(column)': "
                + "it was written by another version of kvlab; redraw with that version or measure again."
        case .inconsistent(let table, let problem):
            "Results table '\(table)' contradicts itself: \(problem)."
        case .unwritable(let file, let reason):
            "'\(file)' cannot be written: \(reason)."
        case .gnuplotNotFound(let command):
            "gnuplot was not found ('\(command)'): the tables and each figure's .tsv and .gp are written; "
                + "to draw the figures install gnuplot 5.4 or newer "
                + "(apt install gnuplot-nox, brew install gnuplot) and redraw."
        case .gnuplotFailed(let figure, let message):
            "gnuplot could not draw figure '\(figure)': \(message)."
        }
    }
}
