import Foundation
import Results

/// Content that touches every kind of value and the cases HDF5 finds hard.
enum Samples {
    static let run = RunRecord(
        runID: "2026-11-21T01-02-03Z-quick-ab12cd", startedAtNanoseconds: 1_795_222_923_000_000_004,
        arguments: ["kvlab", "run", "", "experiments/ttft.yaml"], profile: "quick",
        configuration: "depths: [1024]\nname: Größe\n", configurationHash: String(repeating: "ab", count: 32),
        git: GitState(commit: "b54ac86", dirty: true), kvlabVersion: "0.1.0")

    static let machine = [
        Attribute("cpu_model", .string("Some CPU")), Attribute("cores", .int(2)),
        Attribute("memory_read_bytes_per_second", .double(1.25e10)), Attribute("governor", .string("")),
    ]

    static let ttft = TableSchema(
        name: "ttft", title: "Time to first token",
        columns: [
            ColumnSchema("scheme", .string, "scheme of keys and values"),
            ColumnSchema("depth", .int, units: "tokens", "cached tokens"),
            ColumnSchema("ttft", .double, units: "s", "time to first token"),
            ColumnSchema("note", .string, "note"),
        ])

    static let empty = TableSchema(
        name: "a_first", title: "Nothing measured",
        columns: [
            ColumnSchema("x", .double, units: "1", "a number"), ColumnSchema("k", .int, "a count"),
            ColumnSchema("t", .string, "a text"),
        ])

    static func ttftRows(_ count: Int, from start: Int = 0) -> [Row] {
        (start..<start + count).map { i in
            [
                "scheme": .string(["affine-q4-g64", "fp16", "größer"][i % 3]), "depth": .int(Int64(i) << 32),
                "ttft": .double(i % 5 == 4 ? .nan : Double(i) / 3), "note": .string(""),
            ]
        }
    }

    static func file(rows: Int = 7) throws -> ResultsFile {
        var table = ResultTable(schema: ttft)
        for row in ttftRows(rows) { try table.append(row) }
        return ResultsFile(
            run: run, machine: machine, finishedCells: [
                FinishedCell(name: "ttft/fp16/1024", seconds: 2.5, commit: "b54ac86-dirty"),
                FinishedCell(name: "größer", seconds: 0.125, commit: "0e36789"),
            ],
            tables: [table, ResultTable(schema: empty)])
    }

    static func cell(_ name: String) -> FinishedCell { FinishedCell(name: name, seconds: 1.25, commit: "b54ac86") }

    /// A folder that is removed after `body`.
    static func inFolder<T>(_ body: (String) throws -> T) throws -> T {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvlab-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            chmod(folder, 0o755)
            try? FileManager.default.removeItem(atPath: folder)
        }
        return try body(folder)
    }

    /// The sentence that `body` throws.
    static func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was thrown"
        } catch {
            return "\(error)"
        }
    }

    /// Equality in which NaN equals NaN.
    static func same(_ a: ResultsFile, _ b: ResultsFile) -> Bool {
        var (first, second) = (a, b)
        (first.tables, second.tables) = ([], [])
        return first == second && a.tables.count == b.tables.count
            && zip(a.tables, b.tables).allSatisfy { a, b in
                a.schema == b.schema && a.rowCount == b.rowCount
                    && zip(a.values, b.values).allSatisfy {
                        guard case (.double(let x), .double(let y)) = ($0, $1) else { return $0 == $1 }
                        return x.map(\.bitPattern) == y.map(\.bitPattern)
                    }
            }
    }
}
