import Foundation
import Reports
import Results
import Testing

@Suite struct TableSchemesTests {
    private static func schema(_ name: String, _ columns: [(String, ColumnKind)]) -> TableSchema {
        TableSchema(name: name, title: name, columns: columns.map { .init($0.0, $0.1, "") })
    }

    private static let schemes = schema(
        "schemes",
        [
            ("model", .string), ("weights", .string), ("base_scheme", .string), ("scheme", .string),
            ("active_scheme", .string), ("tokens", .int), ("stored_bytes", .int), ("elements", .int), ("file_bytes", .int),
            ("relative_interval", .double), ("seconds_allowed", .double), ("stopped_by", .string), ("problem", .string),
        ])
    private static let windows = schema(
        "schemes_windows",
        [
            ("model", .string), ("text", .string), ("base_scheme", .string), ("scheme", .string), ("compute", .string),
            ("draw", .int), ("window_tokens", .int), ("stride_tokens", .int), ("tokens_scored", .int), ("kld_sum", .double),
            ("base_loss_sum", .double), ("loss_sum", .double), ("agreements", .int), ("restored_tokens", .int),
            ("restored_difference", .double), ("resaved_equal", .int),
        ])
    private static let tokens = schema(
        "schemes_tokens",
        [("model", .string), ("scheme", .string), ("compute", .string), ("kld", .double), ("delta_p", .double)])
    private static let answers = schema(
        "schemes_answers",
        [
            ("model", .string), ("scheme", .string), ("task", .string), ("document", .int), ("answer", .int), ("right", .int),
        ])
    private static let speed = schema(
        "schemes_speed",
        [
            ("model", .string), ("scheme", .string), ("depth", .int), ("encode_elements_per_second", .double),
            ("decode_elements_per_second", .double), ("tokens_per_second", .double),
        ])

    /// A scheme of `bits` with a window of four tokens for each divergence per token, and `wrong` of 20 answers.
    private struct Scheme {
        var name: String
        var bits: Int64
        var divergences: [Double]
        var wrong = 0
        var active: String?
        var problem = ""
        var rate = 100.0
    }

    private func file(_ schemes: [Scheme]) throws -> ResultsFile {
        var tables = [Self.schemes, Self.windows, Self.tokens, Self.answers, Self.speed].map { ResultTable(schema: $0) }
        for scheme in schemes {
            let failed = !scheme.problem.isEmpty
            let key: Row = ["model": .string("mini"), "scheme": .string(scheme.name)]
            try tables[0].append(
                key.merging([
                    "weights": .string("bf16"), "base_scheme": .string("fp16"),
                    "active_scheme": .string(scheme.active ?? scheme.name), "tokens": .int(failed ? 0 : 256),
                    "stored_bytes": .int(failed ? 0 : 1000 * scheme.bits), "elements": .int(failed ? 0 : 8000),
                    "file_bytes": .int(failed ? 0 : 1001 * scheme.bits), "relative_interval": .double(0.1),
                    "seconds_allowed": .double(5), "stopped_by": .string(failed ? "" : "time"),
                    "problem": .string(scheme.problem),
                ]) { $1 })
            let compute = scheme.name == "fp16" ? "fast" : "reference"
            for (draw, value) in scheme.divergences.enumerated() {
                try tables[1].append(
                    key.merging([
                        "text": .string("a.md"), "base_scheme": .string("fp16"), "compute": .string(compute),
                        "draw": .int(Int64(draw)), "window_tokens": .int(8), "stride_tokens": .int(4),
                        "tokens_scored": .int(4), "kld_sum": .double(4 * value), "base_loss_sum": .double(4),
                        "loss_sum": .double(4.4), "agreements": .int(3), "restored_tokens": .int(4),
                        "restored_difference": .double(0), "resaved_equal": .int(1),
                    ]) { $1 })
                for _ in 0..<4 {
                    try tables[2].append(
                        key.merging(["compute": .string(compute), "kld": .double(value), "delta_p": .double(0)]) { $1 })
                }
            }
            guard !failed else { continue }
            for number in 0..<20 {
                try tables[3].append(
                    key.merging([
                        "task": .string(number < 10 ? "recall" : "copy"), "document": .int(Int64(number)), "answer": .int(0),
                        "right": .int(number < scheme.wrong ? 0 : 1),
                    ]) { $1 })
            }
            for rate in [0.9, 1, 1.1] {
                try tables[4].append(
                    key.merging([
                        "depth": .int(2048), "encode_elements_per_second": .double(2e6 * rate),
                        "decode_elements_per_second": .double(3e6 * rate), "tokens_per_second": .double(scheme.rate * rate),
                    ]) { $1 })
            }
        }
        return SampleRun.file(tables)
    }

    private static let seven = (0..<7).map { 1 + 0.01 * Double($0) }
    private static func around(_ mean: Double) -> [Double] { seven.map { mean * $0 } }

    private let some = [
        Scheme(name: "fp16", bits: 16, divergences: around(1e-6)),
        Scheme(name: "q8_0", bits: 8, divergences: around(1e-4)),
        Scheme(name: "affine-q4-g64", bits: 4, divergences: around(0.02), wrong: 8),
        Scheme(name: "q4_0", bits: 4, divergences: around(0.01), wrong: 2, rate: 50),
        Scheme(name: "turboquant-4", bits: 4, divergences: around(0.0105).reversed()),
        Scheme(name: "bad", bits: 2, divergences: [], problem: "Rows do not fit."),
    ]

    private func tables(_ schemes: [Scheme]) throws -> [ReportTable] {
        let definition = try #require(tableDefinitions.first { $0.id == "schemes" })
        return try definition.tables(input(schemes))
    }

    private func input(_ schemes: [Scheme]) throws -> ReportInput {
        ReportInput(
            results: try file(schemes), published: PublishedNumbers(folder: publishedFolder),
            resultsPath: "results/x/results.h5")
    }

    private func cell(_ table: ReportTable, _ scheme: String, _ column: String) throws -> ReportTable.Cell {
        let row = try #require(
            table.rows.first { row in if case .text(let name) = row[0] { name.hasPrefix(scheme) } else { false } })
        return row[try #require(table.columns.firstIndex { $0.key == column })]
    }

    @Test func sideBySide() throws {
        let table = try #require(try tables(some).first)
        #expect(table.id == "schemes-mini" && table.rows.count == 6)
        #expect(try cell(table, "q8_0", "bits") == .number(8))
        #expect(try cell(table, "q8_0", "bytes_per_token") == .number(31.25))
        let mean = try #require(cell(table, "q4_0", "kld_mean").estimate)
        #expect(abs(mean.value - 0.0103) < 1e-12 && mean.low > 0.01 && mean.high < 0.0106)
        #expect(try cell(table, "q4_0", "top1").number == 0.75)
        #expect(try abs(#require(cell(table, "q4_0", "ln_ppl_ratio").number) - 0.1) < 1e-12)
        #expect(try cell(table, "q4_0", "tokens_per_second").number == 50)
        #expect(try abs(#require(cell(table, "q4_0", "encode_elements_per_us").number) - 2) < 1e-9)
        #expect(try cell(table, "q4_0", "floor") == .text("above"))
        #expect(try cell(table, "fp16", "floor") == .text("is the floor"))
        // McNemar: 2·(1/2)⁸ of the 8 that only fp16 has; Holm over four.
        #expect(try abs(#require(cell(table, "affine", "p_holm").number) - 4 * 2 / 256.0) < 1e-12)
        #expect(try cell(table, "bad", "kld_mean") == .missing("bad: Rows do not fit."))
        #expect(table.notes.contains("The scheme that each saved cache names is the one that was asked for."))
        #expect(table.notes.contains { $0.hasSuffix("Every logit after, and every byte of a second save, was the same.") })
    }

    @Test func anotherSchemeThanAskedForIsSaid() throws {
        let table = try #require(
            try tables([some[0], Scheme(name: "q4_0", bits: 4, divergences: [0.1, 0.2], active: "fp16")]).first)
        #expect(table.notes.contains("q4_0 was asked for, and the cache holds fp16."))
    }

    @Test func answersByTask() throws {
        let table = try #require(try tables(some).first { $0.id == "schemes-answers-mini" })
        #expect(try cell(table, "affine", "recall").number == 0.2)
        #expect(try cell(table, "affine", "copy").number == 1)
        #expect(try cell(table, "q4_0", "recall_p_holm") == .number(1))
    }

    /// Three schemes of 4 bits are three pairs; 8 and 16 bits have no one near.
    @Test func nearlyTheSameBitsAreCompared() throws {
        let table = try #require(try tables(some).first { $0.id == "schemes-pairs-mini" })
        #expect(table.rows.count == 3)
        // Seven windows of one sign: 2/2⁷, three comparisons; one window of the third pair is the other way.
        let first = table.rows[0]
        #expect(first[6] == .number(2 / 128.0) && first[7] == .number(6 / 128.0) && first[8] == .text("better"))
        #expect(first[2] == .text("affine-q4-g64"))
        let last = table.rows[2]
        #expect(last[0] == .text("q4_0") && last[2] == .text("turboquant-4"))
        let difference = try #require(last[4].estimate)
        #expect(difference.sampleCount == 7 && difference.value > 0 && last[6] == .number(4 / 128.0))
    }

    /// Every scheme is a point, and those that no other beats in both are named; ties at the same bits are decided by the value.
    @Test func theFiguresDrawTheFrontAndNameIt() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "F-schemes" })
        let figures = try definition.build(input(some))
        #expect(figures.map(\.id) == ["F-schemes", "F-schemes-answers"])
        func schemes(_ figure: Figure, _ kind: String) -> [String] {
            figure.data.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }.filter { $0[1] == kind }.map { $0[2] }
        }
        #expect(schemes(figures[0], "point") == ["q4_0", "turboquant-4", "affine-q4-g64", "q8_0"])
        #expect(schemes(figures[0], "front") == ["q4_0", "q8_0"])
        // Of four bits TurboQuant has every answer, and nothing is better.
        #expect(schemes(figures[1], "point") == ["turboquant-4", "q4_0", "affine-q4-g64", "q8_0"])
        #expect(schemes(figures[1], "front") == ["turboquant-4"])
        #expect(figures[0].script.contains("set label \"q4_0\" at graph") && figures[0].script.contains("set label \"q8_0\" at graph"))
        #expect(!figures[0].script.contains("set label \"affine-q4-g64\" at graph"))
        #expect(figures[0].script.contains("noise floor, below: 1.0e-06"))
        #expect(figures[1].script.contains("\"unquantized cache\" at graph 0.01, first 1.0"))
        // The legend has the slowest and the fastest.
        for figure in figures { #expect(figure.script.contains("\"50.0 tokens/s\"") && figure.script.contains("\"100 tokens/s\"")) }
    }

    @Test func knownOrderingsAreDecidedByTheRun() throws {
        func outcomes(_ schemes: [Scheme]) throws -> [(a: String, b: String, outcome: String)] {
            let definition = try #require(tableDefinitions.first { $0.id == "orderings" })
            let table = try #require(try definition.tables(input(schemes)).first)
            return table.rows.map { row in
                func text(_ cell: ReportTable.Cell) -> String { if case .text(let text) = cell { text } else { "" } }
                return (text(row[2]), text(row[3]), text(row.last!))
            }
        }
        let more = [
            Scheme(name: "affine-q2-g32", bits: 3, divergences: Self.around(0.2) + Self.around(0.2)),
            Scheme(name: "kivi-2", bits: 3, divergences: Self.around(0.2).reversed()),
            Scheme(name: "k=q8_0,v=q4_0", bits: 6, divergences: Self.around(0.02)),
            Scheme(name: "k=q4_0,v=q8_0", bits: 6, divergences: Self.around(0.01)),
        ]
        let found = try outcomes(some + more)
        func outcome(_ a: String, _ b: String) throws -> String { try #require(found.first { $0.a == a && $0.b == b }).outcome }
        // Three orderings are measured: seven windows of one sign are 2/2⁷, and three times that is below 5 %.
        #expect(try outcome("fp16", "q8_0") == "came out")
        #expect(try outcome("k=q8_0,v=q4_0", "k=q4_0,v=q8_0") == "the reverse")
        #expect(try outcome("kivi-2", "affine-q2-g32") == "not distinguishable")
        #expect(try outcome("q8_0", "q5_1") == "not measured")
        #expect(try outcome("affine-q2-g32", "affine-q2-g32") == "came out")
        #expect(try #require(try outcomes(some).first { $0.b == "q8_0" }).outcome == "came out")
        #expect(try #require(try outcomes(some).last).outcome == "not measured")
        let reverse = try outcomes(Array(more.dropFirst(2)))
        #expect(try #require(reverse.first { $0.a == "k=q8_0,v=q4_0" }).outcome == "the reverse")
        let far = (0..<12).map { index -> Double in index % 2 == 0 ? 0.1 : 0.3 }
        let apart = Scheme(name: "affine-q2-g32", bits: 3, divergences: far)
        #expect(try #require(try outcomes([some[0], apart]).last).outcome == "they do not overlap")
    }
}
