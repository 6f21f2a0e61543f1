import Foundation
import Synchronization

/// The folder of one run, `results/<run-id>/`, and the only writer in it.
///
/// `run.yaml` and `results.h5` with the machine's facts are there before the first sample. Each finished cell is
/// added by one atomic rewrite of `results.h5`, so a run killed at any moment leaves whole cells only, and
/// ``resume(in:matching:)`` goes on after them.
public final class RunDirectory: Sendable {
    static let configurationName = "run.yaml"
    static let resultsName = "results.h5"
    static let latestName = "latest"
    static let manifestName = "manifest.sha256"

    /// The run folder, as given: `<results>/<run-id>`.
    public let path: String
    private let state: Mutex<ResultsFile>
    private let lock: FolderLock

    /// Everything committed so far.
    public var file: ResultsFile { state.withLock { $0 } }
    /// Where ``file`` is on disk.
    public var resultsPath: String { "\(path)/\(Self.resultsName)" }

    init(path: String, file: ResultsFile, lock: FolderLock) {
        self.path = path
        self.lock = lock
        state = Mutex(file)
    }

    /// Makes the folder of a new run and writes what is known before the first sample.
    /// - Parameters:
    ///   - results: the folder of all runs, made when it is not there.
    ///   - run: the run; its `runID` is replaced by `<start>-<profile>-<six random hex digits>`, for example
    ///     `2026-11-21T01-02-03Z-quick-ab12cd`, which is the name of the folder.
    /// - Throws: ``ResultsError/cannotWrite(path:reason:)``.
    public static func create(in results: String, run: RunRecord, machine: [Attribute]) throws -> RunDirectory {
        try makeFolders(results)
        var run = run
        var path: String
        repeat {
            run.runID = newID(run)
            path = "\(results)/\(run.runID)"
        } while mkdir(path, 0o755) != 0 && errno == EEXIST
        guard isFolder(path) else { throw ResultsError.cannotWrite(path: path, reason: AtomicFile.reason()) }
        try AtomicFile.replace("\(path)/\(configurationName)", with: Array(run.configuration.utf8))
        let lock = try FolderLock(folder: path)
        let directory = RunDirectory(path: path, file: ResultsFile(run: run, machine: machine), lock: lock)
        try directory.file.write(to: directory.resultsPath)
        try AtomicFile.link("\(results)/\(latestName)", to: run.runID)
        return directory
    }

    /// Whether the rows of `cell` are in the file.
    public func isFinished(cell: String) -> Bool {
        state.withLock { $0.finishedCells.contains { $0.name == cell } }
    }

    /// Adds a finished cell with its rows, in one step: after this returns they are on disk, and if it throws, or the
    /// process dies in it, none of them is.
    /// - Throws: ``ResultsError/committedTwice(cell:run:)``, ``ResultsError/runFinished(run:)``,
    ///   ``ResultsError/schemaChanged(table:run:)``, ``ResultsError/badRow(table:column:problem:)`` or what
    ///   ``ResultsFile/write(to:)`` throws.
    public func commit(_ cell: FinishedCell, rows: [(schema: TableSchema, row: Row)]) throws {
        try update { file in
            let run = file.run.runID
            guard file.run.finishedAtNanoseconds == nil else { throw ResultsError.runFinished(run: run) }
            guard !file.finishedCells.contains(where: { $0.name == cell.name }) else {
                throw ResultsError.committedTwice(cell: cell.name, run: run)
            }
            file.finishedCells.append(cell)
            for (schema, row) in rows {
                if let index = file.tables.firstIndex(where: { $0.schema.name == schema.name }) {
                    guard file.tables[index].schema == schema else {
                        throw ResultsError.schemaChanged(table: schema.name, run: run)
                    }
                    try file.tables[index].append(row)
                } else {
                    var table = ResultTable(schema: schema)
                    try table.append(row)
                    file.tables.append(table)
                }
            }
        }
    }

    /// Stamps the end of the run; nothing can be added afterwards.
    /// - Throws: ``ResultsError/runFinished(run:)`` when it has an end, or what ``ResultsFile/write(to:)`` throws.
    public func finish() throws {
        try update { file in
            guard file.run.finishedAtNanoseconds == nil else { throw ResultsError.runFinished(run: file.run.runID) }
            file.run.finishedAtNanoseconds = Timestamp.now()
        }
    }

    /// Changes a copy, writes it, and keeps it only when it is on disk.
    private func update(_ change: (inout ResultsFile) throws -> Void) throws {
        try state.withLock { file in
            var changed = file
            try change(&changed)
            try changed.write(to: resultsPath)
            file = changed
        }
    }

    private static func newID(_ run: RunRecord) -> String {
        let profile = run.profile.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let random = String(Int.random(in: 0x10_0000...0xFF_FFFF), radix: 16)
        return "\(Timestamp.fileName(run.startedAtNanoseconds))-\(String(profile))-\(random)"
    }

    /// Makes `path` and the folders above it where they are missing.
    private static func makeFolders(_ path: String) throws(ResultsError) {
        if isFolder(path) || path.isEmpty { return }
        if let slash = path.lastIndex(of: "/") { try makeFolders(String(path[..<slash])) }
        guard mkdir(path, 0o755) == 0 || isFolder(path) else {
            throw .cannotWrite(path: path, reason: AtomicFile.reason())
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
