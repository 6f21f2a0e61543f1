import CHDF5
import Foundation
import Results
import Testing

@Suite struct RoundTripTests {
    @Test func everythingComesBackInOrder() throws {
        try Samples.inFolder { folder in
            let file = try Samples.file()
            try file.write(to: folder + "/results.h5")
            let back = try ResultsFile.read(from: folder + "/results.h5")
            #expect(Samples.same(back, file))
            #expect(back.tables.map(\.schema.name) == ["ttft", "a_first"])
            #expect(back.table("ttft")?.schema == Samples.ttft)
        }
    }

    @Test func aRunWithNothingYetComesBack() throws {
        try Samples.inFolder { folder in
            var run = Samples.run
            run.arguments = []
            run.profile = ""
            let file = ResultsFile(run: run, machine: [])
            try file.write(to: folder + "/results.h5")
            #expect(try ResultsFile.read(from: folder + "/results.h5") == file)
        }
    }

    /// Above 64 KiB HDF5 keeps an attribute outside its object's header; above 1 MiB a column has several chunks.
    @Test func largeContentComesBack() throws {
        try Samples.inFolder { folder in
            var file = try Samples.file(rows: 100_001)
            file.run.configuration = String(repeating: "name: value\n", count: 20_000)
            file.run.finishedAtNanoseconds = .max
            try file.write(to: folder + "/results.h5")
            let back = try ResultsFile.read(from: folder + "/results.h5")
            #expect(Samples.same(back, file))
        }
    }

    @Test func equalContentGivesEqualBytes() throws {
        try Samples.inFolder { folder in
            let paths = ["\(folder)/a.h5", "\(folder)/b.h5"]
            try Samples.file().write(to: paths[0])
            try Samples.file(rows: 3).write(to: "\(folder)/other.h5")
            sleep(1)  // so that a stored time would differ
            try Samples.file().write(to: paths[1])
            let bytes = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
            #expect(bytes[0] == bytes[1])
            // What was read writes the same bytes again.
            try ResultsFile.read(from: paths[0]).write(to: paths[1])
            #expect(try Data(contentsOf: URL(filePath: paths[1])) == bytes[0])
        }
    }

    /// Files of older versions say neither how long a cell took nor which build ran it.
    @Test func cellsOfOlderFilesHaveTheCommitOfTheRun() async {
        // In a process of its own, for HDF5 is used here without the lock that readers and writers share.
        await #expect(processExitsWith: .success) {
            try Samples.inFolder { folder in
                let path = folder + "/results.h5"
                try Samples.file().write(to: path)
                let readAndWrite: UInt32 = 1
                let file = H5Fopen(path, readAndWrite, kvh5_default())
                for name in ["seconds", "commit"] {
                    try #require(H5Ldelete(file, "/cells/\(name)", kvh5_default()) >= 0)
                }
                try #require(H5Fclose(file) >= 0)
                let cells = try ResultsFile.read(from: path).finishedCells
                try #require(cells.map(\.name) == ["ttft/fp16/1024", "größer"])
                try #require(cells.allSatisfy { $0.seconds.isNaN && $0.commit == "b54ac86-dirty" })
            }
        }
    }

    @Test func manyTasksAtOnceEachGetTheirOwn() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvlab-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for i in 0..<16 {
                group.addTask {
                    let file = try Samples.file(rows: i * 10)
                    try file.write(to: "\(folder)/\(i).h5")
                    return Samples.same(try ResultsFile.read(from: "\(folder)/\(i).h5"), file)
                }
            }
            for try await same in group { #expect(same) }
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (951_827_696_000_000_789, "2000-02-29T12:34:56.000000789Z"),
        (1_795_222_923_000_000_004, "2026-11-21T01:02:03.000000004Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
    ] as [(Int64, String)])
    func timesAreISO8601(nanoseconds: Int64, text: String) {
        #expect(Timestamp.iso8601(nanoseconds) == text)
    }
}
