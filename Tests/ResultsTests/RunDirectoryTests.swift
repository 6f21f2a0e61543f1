import Foundation
import Results
import Testing

@Suite struct RunDirectoryTests {
    private let hash = Samples.run.configurationHash

    private func rows(_ count: Int, from start: Int = 0) -> [(schema: TableSchema, row: Row)] {
        Samples.ttftRows(count, from: start).map { (Samples.ttft, $0) }
    }

    @Test func everythingIsThereBeforeTheFirstSample() throws {
        try Samples.inFolder { folder in
            let results = "\(folder)/deep/results"
            let run = try RunDirectory.create(in: results, run: Samples.run, machine: Samples.machine)
            let id = run.file.run.runID
            #expect(id.wholeMatch(of: /2026-11-21T01-02-03Z-quick-[0-9a-f]{6}/) != nil)
            #expect(run.path == "\(results)/\(id)")
            #expect(try String(contentsOfFile: "\(run.path)/run.yaml", encoding: .utf8) == Samples.run.configuration)
            let file = try ResultsFile.read(from: "\(results)/latest/results.h5")
            #expect(file == run.file)
            #expect(file.machine == Samples.machine)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(results)/latest") == id)

            let second = try RunDirectory.create(in: results, run: Samples.run, machine: [])
            #expect(second.path != run.path)
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(results)/latest")
                    == second.file.run.runID)
        }
    }

    @Test func cellsAreAddedOnce() throws {
        try Samples.inFolder { folder in
            let run = try RunDirectory.create(in: folder, run: Samples.run, machine: [])
            let id = run.file.run.runID
            #expect(!run.isFinished(cell: "a"))
            try run.commit(Samples.cell("a"), rows: rows(3))
            try run.commit(Samples.cell("b"), rows: rows(2, from: 3))
            try run.commit(Samples.cell("nothing measured"), rows: [])
            #expect(run.isFinished(cell: "a"))
            let file = try ResultsFile.read(from: run.resultsPath)
            #expect(file.finishedCells == ["a", "b", "nothing measured"].map(Samples.cell))
            #expect(file.table("ttft")?.ints("depth") == (0..<5).map { $0 << 32 })

            #expect(
                Samples.refusal { try run.commit(Samples.cell("a"), rows: rows(1)) }
                    == "Cell 'a' of run '\(id)' is already finished; its rows were not added again.")
            var other = Samples.ttft
            other.columns.removeLast()
            #expect(
                Samples.refusal { try run.commit(Samples.cell("c"), rows: [(other, [:])]) }
                    == "Table 'ttft' has other columns in run '\(id)' than this kvlab writes; start a new run.")
            #expect(
                Samples.refusal { try run.commit(Samples.cell("c"), rows: rows(1) + [(Samples.ttft, [:])]) }
                    == "Table 'ttft': column 'scheme' is missing.")
            #expect(Samples.same(try ResultsFile.read(from: run.resultsPath), file))
            #expect(Samples.same(run.file, file))

            try run.finish()
            let finished = try ResultsFile.read(from: run.resultsPath).run
            #expect(try #require(finished.finishedAtNanoseconds) > Samples.run.startedAtNanoseconds / 2)
            #expect(
                Samples.refusal { try run.commit(Samples.cell("c"), rows: []) }
                    == "Run '\(id)' is finished, so nothing can be added to it; start a new run.")
        }
    }

    @Test func theNewestUnfinishedRunOfTheConfigurationIsResumed() throws {
        try Samples.inFolder { folder in
            #expect(try RunDirectory.resume(in: "\(folder)/none", matching: hash).directory == nil)
            func make(
                at seconds: Int64, hash: String, _ body: (RunDirectory) throws -> Void = { _ in }
            ) throws -> String {
                var record = Samples.run
                record.startedAtNanoseconds = seconds * 1_000_000_000
                record.configurationHash = hash
                let run = try RunDirectory.create(in: folder, run: record, machine: [])
                try body(run)
                return run.path
            }
            _ = try make(at: 10, hash: hash)
            let expected = try make(at: 20, hash: hash) { try $0.commit(Samples.cell("a"), rows: rows(3)) }
            _ = try make(at: 30, hash: hash) { try $0.finish() }
            _ = try make(at: 40, hash: "other")
            let damaged = try make(at: 50, hash: hash)
            try Data("no".utf8).write(to: URL(filePath: "\(damaged)/results.h5"))
            let killedEarly = try make(at: 60, hash: hash)
            try FileManager.default.removeItem(atPath: "\(killedEarly)/results.h5")
            // What a kill between the temporary file and its rename leaves.
            try Data("half".utf8).write(to: URL(filePath: "\(expected)/.results.h5.abc.partial"))

            let found = try RunDirectory.resume(in: folder, matching: hash)
            #expect(
                found.warnings == [
                    "Run folder '\(killedEarly)' is left out: "
                        + "Cannot read '\(killedEarly)/results.h5': No such file or directory.",
                    "Run folder '\(damaged)' is left out: '\(damaged)/results.h5' is not an HDF5 file; "
                        + "give the results.h5 of a kvlab run.",
                ])
            let run = try #require(found.directory)
            #expect(run.path == expected)
            let left = try FileManager.default.contentsOfDirectory(atPath: expected).sorted()
            #expect(left == ["results.h5", "run.yaml"])
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/latest")
                    == run.file.run.runID)
            #expect(run.isFinished(cell: "a"))
            try run.commit(Samples.cell("b"), rows: rows(2, from: 3))
            #expect(try ResultsFile.read(from: run.resultsPath).table("ttft")?.rowCount == 5)
        }
    }

    @Test func aRunInUseIsRefused() throws {
        try Samples.inFolder { folder in
            let run = try RunDirectory.create(in: folder, run: Samples.run, machine: [])
            #expect(
                Samples.refusal { _ = try RunDirectory.resume(in: folder, matching: hash) }
                    == "Run folder '\(run.path)' is in use by another kvlab process; "
                    + "wait for it to end or start a new run.")
        }
    }

    /// A process that dies by SIGKILL at some moment of its commits leaves whole cells, and the run goes on.
    @Test(arguments: [3, 11, 29, 64])
    func aKilledRunKeepsWholeCells(milliseconds: Int) async throws {
        let folder: String = FileManager.default.temporaryDirectory.appendingPathComponent("kvlab-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, milliseconds] in
            let run = try RunDirectory.create(in: folder, run: Samples.run, machine: [])
            Thread.detachNewThread {
                usleep(UInt32(milliseconds) * 1000)
                kill(getpid(), SIGKILL)
            }
            for cell in 0... {
                try run.commit(
                    Samples.cell("\(cell)"), rows: Samples.ttftRows(50, from: cell * 50).map { (Samples.ttft, $0) })
            }
        }
        let run = try #require(try RunDirectory.resume(in: folder, matching: hash).directory)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.path).sorted() == ["results.h5", "run.yaml"])
        let cells = run.file.finishedCells.count
        #expect(run.file.finishedCells == (0..<cells).map { Samples.cell("\($0)") })
        try run.commit(Samples.cell("\(cells)"), rows: rows(50, from: cells * 50))
        let depths = try ResultsFile.read(from: run.resultsPath).table("ttft")?.ints("depth")
        #expect(depths == (0..<(cells + 1) * 50).map { Int64($0) << 32 })
    }
}
