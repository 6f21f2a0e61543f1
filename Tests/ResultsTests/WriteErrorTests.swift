import Foundation
import Results
import Testing

@Suite struct WriteErrorTests {
    @Test func aMissingFolderIsNamed() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/none/results.h5"
            #expect(
                Samples.refusal { try Samples.file().write(to: path) }
                    == "Cannot write '\(path)': No such file or directory; what was there before is unchanged.")
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func noPermissionLeavesTheOldFile() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            try Samples.file().write(to: path)
            chmod(folder, 0o555)
            #expect(
                Samples.refusal { try Samples.file(rows: 2).write(to: path) }
                    == "Cannot write '\(path)': Permission denied; what was there before is unchanged.")
            #expect(Samples.same(try ResultsFile.read(from: path), try Samples.file()))
        }
    }

    /// The rename fails when everything else has worked: nothing temporary stays behind.
    @Test func aFailedRenameLeavesNothing() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(
                Samples.refusal { try Samples.file().write(to: path) }
                    == "Cannot write '\(path)': Is a directory; what was there before is unchanged.")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["results.h5"])
        }
    }

    @Test func whatHDF5CannotHoldIsRefused() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            try Samples.file().write(to: path)
            let old = try Data(contentsOf: URL(filePath: path))
            func refusal(_ change: (inout ResultsFile) throws -> Void) throws -> String {
                var file = try Samples.file()
                try change(&file)
                return Samples.refusal { try file.write(to: path) }
            }
            func table(_ name: String, _ columns: [ColumnSchema]) -> ResultTable {
                ResultTable(schema: TableSchema(name: name, title: "", columns: columns))
            }
            let end = " cannot be stored in a results file: "
            #expect(
                try refusal { $0.tables.append(table("a/b", [])) }
                    == "Table 'a/b'\(end)the name holds '/' or a control character.")
            #expect(try refusal { $0.tables.append(table("", [])) } == "Table ''\(end)the name is empty.")
            #expect(try refusal { $0.tables.append(table("..", [])) } == "Table '..'\(end)the name means a folder.")
            #expect(try refusal { $0.tables.append(table("cells", [])) } == "Table 'cells'\(end)the name is taken.")
            #expect(try refusal { $0.tables.append(table("ttft", [])) } == "Table 'ttft'\(end)the name is taken.")
            #expect(
                try refusal { $0.tables.append(table("t", [ColumnSchema("row", .int, "")])) }
                    == "Column 'row' of table 't'\(end)the name is taken.")
            #expect(
                try refusal {
                    try $0.tables[0].append(
                        ["scheme": .string("a\0"), "depth": .int(0), "ttft": .int(1), "note": .string("")])
                } == "Column 'scheme' of table 'ttft'\(end)text 7 holds a NUL character.")
            #expect(
                try refusal { $0.machine.append(Attribute("cores", .int(3))) }
                    == "Attribute 'cores'\(end)it is there already.")
            #expect(
                try refusal { $0.run.configuration = "\0" }
                    == "Attribute 'configuration'\(end)it holds a NUL character.")
            #expect(try Data(contentsOf: URL(filePath: path)) == old)
        }
    }

    @Test func everyOtherSentence() {
        #expect(
            "\(ResultsError.badRow(table: "t", column: "c", problem: "is missing"))"
                == "Table 't': column 'c' is missing.")
        #expect(
            "\(ResultsError.cannotFlush(path: "p", reason: "I/O error"))"
                == "'p' is written, but its folder entry may not be on disk yet: I/O error.")
        #expect(
            "\(ResultsError.damaged(path: "p", group: "g", problem: "x"))"
                == "'p' is damaged in group 'g': x; restore it from a copy or measure again.")
        #expect(
            "\(ResultsError.cannotLock(folder: "f", reason: "No locks available"))"
                == "Cannot lock run folder 'f': No locks available; "
                + "put the results on a file system that has file locks.")
    }
}
