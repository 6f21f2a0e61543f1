import Reports
import Results
import Testing

/// Q4 from made-up answers.
@Suite struct TopologiesTableTests {
    private func row(_ topology: String, _ scheme: String, _ way: String, pass: Int, bytes: Int, seconds: Double) -> Row {
        var row: Row = [
            "shape": .string("tiny (1 layers)"), "topology": .string(topology), "scheme": .string(scheme), "way": .string(way),
            "weights": .string("synthetic"), "isa": .string("avx2"), "answer_seconds": .double(seconds),
        ]
        for (key, value) in [
            ("pass", pass), ("handoffs", 3), ("moved_tokens", 300), ("moved_bytes", bytes), ("agents", 4), ("part_tokens", 100),
            ("new_tokens", 24), ("output_tokens", 16), ("threads", 2),
        ] { row[key] = .int(Int64(value)) }
        return row
    }

    @Test func ratiosWithinAPass() throws {
        let rows = (1...3).flatMap { pass in
            // A machine that slows down from pass to pass.
            [
                row("star", "fp16", "file", pass: pass, bytes: 4000, seconds: 4 * Double(pass)),
                row("star", "affine-q4-g64", "prefill", pass: pass, bytes: 1200, seconds: 20 * Double(pass)),
                row("star", "affine-q4-g64", "file", pass: pass, bytes: 1400, seconds: 2 * Double(pass)),
                row("chain", "affine-q4-g64", "file", pass: pass, bytes: 1400, seconds: 2 * Double(pass)),
            ]
        }
        let input = ReportInput(
            results: SampleRun.file([try inferredTable("topologies", rows)]),
            published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
        let definition = try #require(tableDefinitions.first { $0.id == "Q4" })
        let table = try #require(try definition.tables(input).first)
        #expect(table.id == "Q4-tiny--1-layers-" && table.rows.count == 4)
        #expect(table.rows.map { $0[0] } == [.text("chain"), .text("star"), .text("star"), .text("star")])
        #expect(table.rows.map { $0[1] }.dropFirst() == [.text("computed again"), .text("affine-q4-g64 card"), .text("fp16 card")])
        #expect(table.rows[0][7] == .missing("no pass has the text computed again"))
        let (prefill, full) = (table.rows[2][7].estimate, table.rows[2][8].estimate)
        #expect(prefill?.low == 10 && prefill?.high == 10 && full?.low == 2 && full?.high == 2)
        #expect(table.rows[1][7] == .missing("it is the text computed again") && table.rows[3][8] == .missing("it is the FP16 card"))
        #expect(table.caption.contains("4 agents hold 100 tokens each") && table.caption.contains("Cards go through file."))
    }
}
