import Reports
import Results
import Testing

/// Q1 and its figure, from made-up handoffs.
@Suite struct HandoffTableTests {
    private static let strings = ["shape", "paper_model", "weights", "scheme", "way", "isa"]
    private static let ints = [
        "pass", "own_tokens", "context_tokens", "new_tokens", "output_tokens", "card_bytes", "same_tokens", "threads",
    ]
    private static let stages = ["make", "write", "transfer", "read", "verify", "inject", "forward"]

    private func row(
        _ way: String, pass: Int, context: Int, scheme: String = "affine-q4-g64", seconds: [String: Double], same: Int = 1
    ) -> Row {
        var row: Row = [
            "shape": .string("tiny"), "paper_model": .string("llama3.1-8b"), "weights": .string("synthetic"),
            "scheme": .string(scheme), "way": .string(way), "isa": .string("avx2"), "pass": .int(Int64(pass)),
            "own_tokens": .int(0), "context_tokens": .int(Int64(context)), "new_tokens": .int(24), "output_tokens": .int(64),
            "card_bytes": .int(way == "prefill" ? 0 : 1000), "same_tokens": .int(Int64(same)), "threads": .int(2),
            "ttft_seconds": .double(seconds.values.reduce(0, +)), "generate_seconds": .double(1),
            "path_seconds": .double(seconds.values.reduce(1, +)),
        ]
        for stage in Self.stages { row["\(stage)_seconds"] = .double(seconds[stage] ?? .nan) }
        return row
    }

    private func input() throws -> ReportInput {
        let schema = TableSchema(
            name: "handoff", title: "handoff",
            columns: Self.strings.map { ColumnSchema($0, .string, $0) } + Self.ints.map { ColumnSchema($0, .int, $0) }
                + (Self.stages + ["ttft", "generate", "path"]).map { ColumnSchema("\($0)_seconds", .double, units: "s", $0) })
        let rows = (1...3).flatMap { pass in
            // A machine that slows down from pass to pass.
            let drift = Double(pass)
            return [
                row("prefill", pass: pass, context: 8192, seconds: ["forward": 30 * drift], same: -1),
                row("memory", pass: pass, context: 8192, seconds: ["make": 0.5 * drift, "inject": 4.5 * drift, "forward": 5 * drift]),
                row("file", pass: pass, context: 8192, scheme: "fp16", seconds: ["make": drift, "write": 14 * drift], same: 0),
                row("file", pass: pass, context: 8192, seconds: ["make": drift, "write": 4 * drift]),
                row("prefill", pass: pass, context: 2048, seconds: ["forward": 3 * drift], same: -1),
                row("memory", pass: pass, context: 2048, seconds: ["make": 2 * drift]),
            ]
        }
        return ReportInput(
            results: SampleRun.file([try SampleRun.table(schema, rows)]),
            published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
    }

    @Test func ratiosWithinAPass() throws {
        let definition = try #require(tableDefinitions.first { $0.id == "Q1" })
        let table = try #require(try definition.tables(try input()).first)
        func cell(_ row: Int, _ column: String) throws -> ReportTable.Cell {
            table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
        }
        #expect(table.id == "Q1-tiny" && table.rows.count == 6)
        #expect(try (0..<6).map { try cell($0, "way") } == [
            .text("prefill"), .text("affine-q4-g64, memory"), .text("prefill"), .text("affine-q4-g64, memory"),
            .text("affine-q4-g64, file"), .text("fp16, file"),
        ])
        let ratio = try #require(try cell(3, "ratio_here").estimate)
        #expect(abs(ratio.value - 3) < 1e-12 && abs(ratio.low - 3) < 1e-12)
        let paper = try #require(try cell(3, "ratio_paper").number)
        #expect(abs(paper - 1029.7 / 397.1) < 1e-9)
        #expect(try cell(3, "verdict") == .verdict(.reproduced))
        // The median pass has drift 2: a second of making in 20 of the handoff and one of generating.
        #expect(try abs(cell(3, "make_share").number! - 1.0 / 21) < 1e-12)
        #expect(try cell(3, "ratio_fp16") == .missing("no pass has an FP16 card that went this way"))
        #expect(try cell(4, "ratio_fp16").estimate?.value == 3)
        #expect(try cell(1, "verdict") == .missing("the paper has Llama 3.1 8B at 1K and 8K only"))
        #expect(try cell(5, "verdict") == .missing("the paper has quantized cards only"))
        #expect(table.notes.contains { $0.contains("in 9 of 12 handoffs") })
        #expect(table.notes.contains { $0.hasSuffix("is above 1 in 1 of 1 rows.") })
    }

    @Test func figure() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "Q1-stages" })
        let figure = try #require(try definition.build(try input()).first)
        #expect(figure.id == "Q1-stages-tiny-0")
        #expect(figure.data.contains("affine-q4-g64, memory\tinject\t9\t1\t10\t3"))
        #expect(figure.script.contains("8K, prefill 60.0 s"))
    }
}
