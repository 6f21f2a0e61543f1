/// What can go wrong with a results file or folder, each as one sentence.
public enum ResultsError: Error, Equatable, CustomStringConvertible {
    case badRow(table: String, column: String, problem: String)

    public var description: String {
        switch self {
        case .badRow(let table, let column, let problem):
            "Table '\(table)': column '\(column)' \(problem)."
        }
    }
}
