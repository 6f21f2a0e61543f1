import Foundation
import Reports
import Results
import Testing

/// A folder for one test.
private final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvlab-test-\(UUID().uuidString)").path
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func data(_ file: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path + "/" + file)) }
    func text(_ file: String) throws -> String { String(decoding: try data(file), as: UTF8.self) }
    func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + file) }
}

private let isGnuplotInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot")
}

private let resultsPath = "results/2026-11-21T01-02-03Z-laptop/results.h5"

struct ReportWriterTests {
    private let writer = ReportWriter(published: publishedFolder)

    @Test(.enabled(if: isGnuplotInstalled)) func redrawingGivesTheSameBytes() async throws {
        let first = TemporaryFolder()
        let second = TemporaryFolder()
        let all = Set(ReportFormat.allCases)
        let file = try SampleRun.full()
        let written = try await writer.write(file, resultsPath: resultsPath, to: first.path, formats: all)
        #expect(try await writer.write(file, resultsPath: resultsPath, to: second.path, formats: all) == written)
        for name in written {
            #expect(try first.data(name) == second.data(name), "\(name)")
        }
        let kinds = Set(written.map { String($0.split(separator: ".").last!) })
        #expect(kinds == ["md", "csv", "tex", "tsv", "gp", "svg", "pdf", "png", "html"])
        // Nothing else is left behind.
        let found = try #require(FileManager.default.subpaths(atPath: first.path)).filter { $0.contains(".") }
        #expect(Set(found) == Set(written))
    }

    @Test func withoutGnuplotEverythingElseIsWritten() async throws {
        for command in ["no-such-gnuplot", "/nowhere/gnuplot"] {
            let folder = TemporaryFolder()
            let writer = ReportWriter(published: publishedFolder, gnuplot: command)
            let error = await #expect(throws: ReportsError.self) {
                try await writer.write(
                    try SampleRun.full(), resultsPath: resultsPath, to: folder.path, formats: [.md, .csv, .tex, .svg])
            }
            #expect(error == .gnuplotNotFound(command: command))
            #expect(
                "\(try #require(error))"
                    == "gnuplot was not found ('\(command)'): the tables and each figure's .tsv and .gp are written; "
                    + "to draw the figures install gnuplot 5.4 or newer "
                    + "(apt install gnuplot-nox, brew install gnuplot) and redraw."
            )
            for name in ["tables/T2.md", "tables/T2.csv", "tables/T2.tex", "report.md"] { #expect(folder.has(name)) }
            for id in ["F2-paper", "F2-corrected", "F-stages-paper", "F-stages-corrected", "F-capacity"] {
                #expect(folder.has("figures/\(id).tsv") && folder.has("figures/\(id).gp"))
                #expect(!folder.has("figures/\(id).svg"))
            }
            #expect(try folder.text("report.md").contains("Not drawn; `gnuplot F-capacity.gp` in `figures/` draws it."))
        }
    }

    @Test func writesOnlyTheFormatsAskedFor() async throws {
        let folder = TemporaryFolder()
        let written = try await writer.write(
            try SampleRun.full(), resultsPath: resultsPath, to: folder.path, formats: [.csv])
        #expect(Set(written.map { String($0.split(separator: ".").last!) }) == ["csv", "tsv", "gp", "md"])
        #expect(written.filter { $0.hasSuffix(".md") } == ["report.md"])
    }

    @Test func theReportReadsItsFactsFromTheFile() async throws {
        let folder = TemporaryFolder()
        var file = try SampleRun.full()
        // Its second cell was run by another build.
        file.finishedCells[0].commit += GitState.dirtySuffix
        file.finishedCells[1].commit = "f00df00df00df00d"
        file.run.finishedAtNanoseconds = nil
        try await writer.write(file, resultsPath: resultsPath, to: folder.path, formats: [.md])
        let report = try folder.text("report.md")
        for fact in [
            "# kvlab report of run 2026-11-21T01-02-03Z-laptop", "| Profile | laptop |",
            "| kvlab | 0.1.0, commits 0123456789ab with uncommitted changes, f00df00df00d |", "| CPU | AMD EPYC 7B13 |",
            "| Cores | 8 |",
            "| Threads | 8 |", "| Instruction set | avx2 |", "| Weights | synthetic q4-g64 |",
            "| Finished | not finished: the rows so far are shown |", "| kernel | Linux 6.8 |",
            "| T15 | bug taxonomy | it counts the defects of the paper's own code |", "MLPerf's Closed division",
            "data: \(resultsPath).",
        ] {
            #expect(report.contains(fact), "\(fact)")
        }
        #expect(!report.contains("| T3 | TTFT cold"))
    }

    /// The page has what the Markdown has, asks nobody for anything, and no two places in it have the same name.
    @Test(.enabled(if: isGnuplotInstalled)) func thePageHasEverything() async throws {
        let folder = TemporaryFolder()
        let written = try await writer.write(
            try SampleRun.full(), resultsPath: resultsPath, to: folder.path, formats: [.html])
        #expect(written.contains("report.html") && !written.contains { $0.hasSuffix(".svg") })
        let page = try folder.text("report.html")
        for line in try folder.text("report.md").split(separator: "\n") where line.hasPrefix("#") {
            let title = line.drop { $0 == "#" || $0 == " " }.replacing("\\", with: "")
            #expect(page.contains(">\(title)</h"), "\(title)")
        }
        #expect(page.components(separatedBy: "<svg").count - 1 == written.count { $0.hasSuffix(".gp") })
        for outside in ["src=", "@import", "<link", "url(http", "href=\"//"] { #expect(!page.contains(outside), "\(outside)") }
        let names = page.matches(of: /\sid=["']([^"']+)["']/).map { String($0.1) }
        #expect(Set(names).count == names.count)
        let places = Set(names)
        for link in page.matches(of: /href=["']#([^"']+)["']/) { #expect(places.contains(String(link.1)), "\(link.1)") }
        #expect(page.contains("<span class=\"verdict reproduced\">reproduced</span>"))
        #expect(page.contains(" data-key=\"32768\""))
    }

    @Test func aRunWithoutRowsStillHasAReport() async throws {
        let folder = TemporaryFolder()
        try await writer.write(SampleRun.file([]), resultsPath: resultsPath, to: folder.path, formats: [.md, .svg])
        let report = try folder.text("report.md")
        #expect(report.contains("Not in this run: \(resultsPath) has no rows in 'ttft'."))
        #expect(
            report.contains(
                "### Figure 2. Time to first token against context\n\nNot drawn: this run has no rows for it."))
        #expect(report.contains("Nothing in this run can be compared with a published number."))
        #expect(report.contains("this run has no rows for it"))
        #expect(try folder.text("tables/T3.md").contains("Not in this run"))
    }

    @Test func aFolderThatCannotBeWrittenIsNamed() async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: folder.path + "/tables"))
        let error = await #expect(throws: ReportsError.self) {
            try await writer.write(SampleRun.file([]), resultsPath: resultsPath, to: folder.path, formats: [.md])
        }
        guard case .unwritable(let file, _) = try #require(error) else {
            Issue.record("\(error!)")
            return
        }
        #expect(file == folder.path + "/tables/claims-P1.md")
    }

    /// A file of an older version is refused whole: no table is written without the others.
    @Test func anOlderFileLeavesNoHalfReport() async throws {
        let folder = TemporaryFolder()
        let whole = try #require(try SampleRun.full().table("ttft"))
        let columns = whole.schema.columns.filter { $0.name != "verify_seconds" }
        var row = whole.row(0)
        row["verify_seconds"] = nil
        let schema = TableSchema(name: "ttft", title: "ttft", columns: columns)
        let older = SampleRun.file([try SampleRun.table(schema, [row])])
        let error = await #expect(throws: ReportsError.self) {
            try await writer.write(older, resultsPath: resultsPath, to: folder.path, formats: [.md])
        }
        #expect(error == .missingColumn(table: "ttft", column: "verify_seconds", kind: "double"))
        #expect(!folder.has("report.md") && !folder.has("tables"))
    }

    @Test func damagedNumbersStopBeforeAnythingIsWritten() async throws {
        let folder = TemporaryFolder()
        let writer = ReportWriter(published: "/nowhere")
        await #expect(throws: ReportsError.self) {
            try await writer.write(SampleRun.file([]), resultsPath: resultsPath, to: folder.path, formats: [.md])
        }
        #expect(!folder.has("."))
    }

    @Test func theTerminalSummaryHasSpeedUpsAndVerdicts() throws {
        let summary = try writer.terminalSummary(try SampleRun.full())
        #expect(summary.hasPrefix("Time to first token at the longest context measured\n"))
        #expect(summary.contains("llama3.1-8b-paper"))
        #expect(summary.contains("\nVerdicts\n"))
        let empty = try writer.terminalSummary(SampleRun.file([]))
        #expect(empty.contains("Nothing in this run can be compared"))
        // All but the devices, of which the machine itself is one, and the features, which need no run.
        let absent = tableDefinitions.map(\.id).filter { !["T1", "T11"].contains($0) }.joined(separator: ", ")
        #expect(empty.contains("Not in this run: \(absent).\n"))
    }
}

struct FigureTests {
    private func figures(_ id: String, _ results: ResultsFile) throws -> [Figure] {
        let definition = try #require(figureDefinitions.first { $0.id == id })
        let published = PublishedNumbers(folder: publishedFolder)
        return try definition.build(ReportInput(results: results, published: published, resultsPath: resultsPath))
    }

    /// The lines of a figure's data, as dictionaries.
    private func lines(_ figure: Figure) throws -> [[String: String]] {
        let lines = figure.data.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false)
        }
        let header = try #require(lines.first).map(String.init)
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0.map(String.init))) }
    }

    @Test func figure2HoldsOursAndThePapers() throws {
        let figure = try #require(try figures("F2", try SampleRun.full()).first)
        let lines = try lines(figure)
        let paper = lines.filter { $0["source"] == "paper" && $0["panel"] == "2" && $0["state"] == "warm" }
        #expect(paper.map { $0["ttft_s"]! } == ["0.26", "0.274", "0.29", "0.331", "0.431"])
        let ours = lines.filter { $0["source"] == "here" && $0["panel"] == "2" && $0["state"] == "cold" }
        #expect(ours.map { $0["context_tokens"]! } == ["1024", "2048", "4096", "8192"])
        for line in ours {
            let value = try #require(Double(line["ttft_s"]!))
            #expect(try #require(Double(line["ttft_low_s"]!)) <= value)
            #expect(try #require(Double(line["ttft_high_s"]!)) >= value)
        }
    }

    @Test func stagesAddUp() throws {
        let stages = [0.01, 0.2, 0.05, 0.01, 0.4, 0.001]
        let rows = (0..<5).map { pass in
            SampleRun.ttftRow(
                state: "warm", pass: pass, context: 1024, hit: 1023, seconds: 0.7, stages: stages, decodeStep: 0.4)
        }
        let file = SampleRun.file([try SampleRun.table(SampleRun.ttftSchema, rows)])
        let lines = try lines(try #require(try figures("F-stages", file).first))
        #expect(
            lines.map { $0["stage"]! } == [
                "open", "read", "verify", "place", "first forward", "sample", "rest", "total",
            ])
        #expect(lines.prefix(6).map { Double($0["seconds"]!)! } == stages)
        for (below, above) in zip(lines.prefix(6), lines.dropFirst().prefix(6)) {
            #expect(below["to_seconds"] == above["from_seconds"])
        }
        #expect(abs(Double(lines[7]["to_seconds"]!)! - 0.7) < 1e-12)
    }

    @Test func capacityTellsMeasuredFromComputed() throws {
        let lines = try lines(try #require(try figures("F-capacity", try SampleRun.full()).first))
        let quick = lines.filter { $0["shape"] == "llama-quick" }
        #expect(quick.count == 6 && quick.allSatisfy { $0["measured"] == "1" && $0["agents_paper"] == "NaN" })
        let gemma = lines.filter {
            $0["shape"] == "gemma3-12b" && $0["budget"] == "10200 MiB" && $0["context_tokens"] == "4096"
        }
        #expect(gemma.map { $0["agents"]! } == ["6", "23"])
        #expect(gemma.map { $0["agents_paper"]! } == ["6", "24"])
        #expect(gemma.map { $0["label_at"]! } == ["6", "24"])
    }

    @Test func namesInAScriptAreNotMarkup() throws {
        let rows = (0..<2).map {
            SampleRun.ttftRow(
                shape: "odd \"name\\ _x^y", paperModel: "", protocolName: "paper", state: "cold", pass: $0, context: 64,
                seconds: 0.001)
        }
        let file = SampleRun.file([try SampleRun.table(SampleRun.ttftSchema, rows)])
        let figure = try #require(try figures("F2", file).first)
        #expect(figure.script.contains("set title \"odd \\\"name\\\\ _x^y\""))
        #expect(figure.script.contains("noenhanced"))
    }

    @Test(.enabled(if: isGnuplotInstalled)) func oneShapeAndOneSampleDraw() async throws {
        let folder = TemporaryFolder()
        let rows = [
            SampleRun.ttftRow(
                shape: "odd \"name\\", paperModel: "", state: "cold", pass: 0, context: 64, seconds: 0.00002),
            SampleRun.ttftRow(
                shape: "odd \"name\\", paperModel: "", state: "warm", pass: 0, context: 64, hit: 63, seconds: 0.00001,
                stages: [.nan, .nan, .nan, .nan, 0.00001, .nan], decodeStep: .nan),
        ]
        let one = SampleRun.capacityRow(
            shape: "odd", paperModel: "", scheme: "kivi-2", context: 64, budget: (label: "1 GiB", bytes: 1 << 30),
            bytesPerAgent: 2 << 30)
        let file = SampleRun.file([
            try SampleRun.table(SampleRun.ttftSchema, rows), try SampleRun.table(SampleRun.capacitySchema, [one]),
        ])
        let written = try await ReportWriter(published: publishedFolder).write(
            file, resultsPath: resultsPath, to: folder.path, formats: [.svg])
        #expect(written.filter { $0.hasSuffix(".svg") }.count == 5)
    }

    @Test(.enabled(if: isGnuplotInstalled)) func aScriptThatFailsIsNamed() async throws {
        let script = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: script.path, withIntermediateDirectories: true)
        // A program that is not gnuplot, but is there.
        let path = script.path + "/gnuplot"
        try Data("#!/bin/sh\necho '\"F1.gp\" line 9: undefined variable: x' >&2\nexit 1\n".utf8).write(
            to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let folder = TemporaryFolder()
        let writer = ReportWriter(published: publishedFolder, gnuplot: path)
        let error = await #expect(throws: ReportsError.self) {
            try await writer.write(try SampleRun.full(), resultsPath: resultsPath, to: folder.path, formats: [.svg])
        }
        #expect(
            error == .gnuplotFailed(figure: "F1", message: "\"F1.gp\" line 9: undefined variable: x"))
        #expect(folder.has("report.md"))
    }
}
