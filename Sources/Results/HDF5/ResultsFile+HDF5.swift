import CHDF5

/// `results.h5`, layout version 1:
///
/// ```
/// /            attributes of RunRecord, with Conventions, title, history, source and layout_version
/// /machine     attributes, one per fact
/// /cells       row, name, seconds, commit: the finished cells
/// /<table>     title; row, and one dataset [rows] per column with units and long_name
/// ```
///
/// Integers and floats are 64-bit little-endian, a missing number is NaN. Texts are fixed-length UTF-8 padded with
/// NUL: each takes as many bytes as the longest of its column.
/// Groups, columns and attributes keep their order; no times of objects are stored, so that one HDF5 version writes
/// equal content as equal bytes. Every column is checksummed (Fletcher-32), as HDF5 does its own headers.
extension ResultsFile {
    /// The version of this layout, stored as `layout_version`.
    public static let layoutVersion: Int64 = 1

    private static let machineGroup = "machine"
    private static let cellsGroup = "cells"
    private static let cellsSchema = TableSchema(
        name: cellsGroup, title: "Finished cells, in order of finishing",
        columns: [
            ColumnSchema("name", .string, "name of the cell"),
            ColumnSchema("seconds", .double, units: "s", "wall time"),
            ColumnSchema("commit", .string, "commit of the build that ran it, with -dirty behind it where files were changed"),
        ])

    /// Writes the file in one step: at every moment `path` holds the old content or the new one, whole.
    ///
    /// The content is laid out in memory first, so that only plain writes touch the disk.
    /// - Throws: ``ResultsError/cannotWrite(path:reason:)`` for a full disk, a missing folder or no permission;
    ///   ``ResultsError/unstorable(what:problem:)`` for a name or a text that HDF5 cannot hold.
    public func write(to path: String) throws {
        let bytes: [UInt8]
        do {
            bytes = try HDF5.locked { try image() }
        } catch let failure as HDF5.Failure {
            throw ResultsError.cannotWrite(path: path, reason: failure.reason)
        }
        try AtomicFile.replace(path, with: bytes)
    }

    /// Reads a file that ``write(to:)`` wrote.
    /// - Throws: a ``ResultsError`` that names the file and, where one is at fault, the group.
    public static func read(from path: String) throws -> ResultsFile {
        let bytes = try AtomicFile.bytes(at: path)
        guard bytes.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw ResultsError.notHDF5(path: path)
        }
        // Deflate shrinks by 1032 at most; a file that was repacked with it is read too.
        let limit = bytes.count * 1032
        return try HDF5.locked {
            try damaged(path, "/") {
                try HDF5.usingFile(image: bytes) { try ResultsFile(from: $0, path: path, limit: limit) }
            }
        }
    }

    /// Turns a failure of HDF5 in `body` into ``ResultsError/damaged(path:group:problem:)``.
    private static func damaged<T>(_ path: String, _ group: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as HDF5.Failure {
            throw ResultsError.damaged(path: path, group: group, problem: failure.reason)
        }
    }

    private init(from root: hid_t, path: String, limit: Int) throws {
        let exists = H5Aexists(root, "layout_version")
        try HDF5.check(exists)
        guard exists > 0 else { throw ResultsError.notKvlab(path: path) }
        guard case .int(let found)? = try HDF5.values(ofAttribute: "layout_version", on: root, limit: limit).only
        else { throw ResultsError.notKvlab(path: path) }
        guard found == Self.layoutVersion else {
            throw ResultsError.otherLayout(path: path, found: found, supported: Self.layoutVersion)
        }
        self.init(run: try RunRecord(from: root, limit: limit), machine: [])
        machine = try Self.damaged(path, Self.machineGroup) {
            try HDF5.using(H5Gopen2(root, Self.machineGroup, kvh5_default())) {
                try HDF5.attributes(of: $0, limit: limit)
            }
        }
        finishedCells = try Self.damaged(path, Self.cellsGroup) {
            let table = try HDF5.table(Self.cellsGroup, in: root, limit: limit)
            guard let names = table.strings("name") else { throw HDF5.Failure(reason: "it has no texts 'name'") }
            // Older files have names only.
            let seconds = table.doubles("seconds") ?? names.map { _ in .nan }
            let commits = table.strings("commit") ?? names.map { _ in run.git.description }
            return names.indices.map { FinishedCell(name: names[$0], seconds: seconds[$0], commit: commits[$0]) }
        }
        for name in try HDF5.linkNames(of: root) where name != Self.machineGroup && name != Self.cellsGroup {
            tables.append(try Self.damaged(path, name) { try HDF5.table(name, in: root, limit: limit) })
        }
    }

    /// The bytes of the file.
    private func image() throws -> [UInt8] {
        var cells = ResultTable(schema: Self.cellsSchema)
        for cell in finishedCells {
            try cells.append(["name": .string(cell.name), "seconds": .double(cell.seconds), "commit": .string(cell.commit)])
        }
        try checkTableNames()
        return try HDF5.fileImage { root in
            try run.write(on: root)
            try HDF5.usingObjectProperties(kvh5_class_group_create()) { properties in
                let made = H5Gcreate2(root, Self.machineGroup, kvh5_default(), properties, kvh5_default())
                try HDF5.using(made) { group in
                    for fact in machine { try HDF5.write(fact, on: group) }
                }
            }
            for table in [cells] + tables { try HDF5.write(table, in: root) }
        }
    }

    private func checkTableNames() throws(ResultsError) {
        var seen: Set<String> = [Self.machineGroup, Self.cellsGroup]
        for name in tables.map(\.schema.name) {
            if let problem = HDF5.problem(withName: name) {
                throw .unstorable(what: "Table '\(name)'", problem: problem)
            }
            if !seen.insert(name).inserted {
                throw .unstorable(what: "Table '\(name)'", problem: "the name is taken")
            }
        }
    }
}
