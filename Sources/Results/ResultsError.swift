/// What can go wrong with a results file or folder, each as one sentence.
public enum ResultsError: Error, Equatable, CustomStringConvertible {
    case badRow(table: String, column: String, problem: String)
    /// Something the file layout has no place for, found before anything is written.
    case unstorable(what: String, problem: String)
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    case cannotFlush(path: String, reason: String)
    case notHDF5(path: String)
    case notKvlab(path: String)
    case otherLayout(path: String, found: Int64, supported: Int64)
    case damaged(path: String, group: String, problem: String)
    case inUse(folder: String)
    case cannotLock(folder: String, reason: String)
    case schemaChanged(table: String, run: String)
    case committedTwice(cell: String, run: String)
    case runFinished(run: String)

    public var description: String {
        switch self {
        case .badRow(let table, let column, let problem):
            "Table '\(table)': column '\(column)' \(problem)."
        case .unstorable(let what, let problem):
            "\(what) cannot be stored in a results file: \(problem)."
        case .cannotRead(let path, let reason):
            "Cannot read '\(path)': \(reason)."
        case .cannotWrite(let path, let reason):
            "Cannot write '\(path)': \(reason); what was there before is unchanged."
        case .cannotFlush(let path, let reason):
            "'\(path)' is written, but its folder entry may not be on disk yet: \(reason)."
        case .notHDF5(let path):
            "'\(path)' is not an HDF5 file; give the results.h5 of a kvlab run."
        case .notKvlab(let path):
            "'\(path)' is an HDF5 file but not kvlab's: it has no attribute 'layout_version'; "
                + "give the results.h5 of a kvlab run."
        case .otherLayout(let path, let found, let supported):
            "'\(path)' has layout version \(found), and this kvlab reads version \(supported); "
                + "read it with the kvlab that wrote it (attribute 'kvlab_version')."
        case .damaged(let path, let group, let problem):
            "'\(path)' is damaged in group '\(group)': \(problem); restore it from a copy or measure again."
        case .inUse(let folder):
            "Run folder '\(folder)' is in use by another kvlab process; wait for it to end or start a new run."
        case .cannotLock(let folder, let reason):
            "Cannot lock run folder '\(folder)': \(reason); put the results on a file system that has file locks."
        case .schemaChanged(let table, let run):
            "Table '\(table)' has other columns in run '\(run)' than this kvlab writes; start a new run."
        case .committedTwice(let cell, let run):
            "Cell '\(cell)' of run '\(run)' is already finished; its rows were not added again."
        case .runFinished(let run):
            "Run '\(run)' is finished, so nothing can be added to it; start a new run."
        }
    }
}
