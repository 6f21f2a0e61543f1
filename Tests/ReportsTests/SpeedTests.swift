import Foundation
import Reports
import Results
import Testing

@Suite struct SpeedTests {
    private static let schema = TableSchema(
        name: "speed", title: "Speed",
        columns: [
            ColumnSchema("shape", .string, "shape"), ColumnSchema("layers", .int, "layers"),
            ColumnSchema("weights", .string, "weights"), ColumnSchema("scheme", .string, "scheme"),
            ColumnSchema("test", .string, "test"), ColumnSchema("tokens", .int, "tokens"),
            ColumnSchema("depth", .int, "depth"), ColumnSchema("batch", .int, "batch"),
            ColumnSchema("tokens_per_second", .double, "speed"), ColumnSchema("operations_per_second", .double, "operations"),
            ColumnSchema("bytes_per_second", .double, "bytes"),
        ])
    private static let ceilings = TableSchema(
        name: "ceilings", title: "Ceilings",
        columns: [ColumnSchema("kind", .string, "kind"), ColumnSchema("rate", .double, "rate")])

    private func row(_ scheme: String, _ test: String, _ speed: Double) -> Row {
        [
            "shape": .string("s"), "layers": .int(4), "weights": .string("synthetic"), "scheme": .string(scheme),
            "test": .string(test), "tokens": .int(512), "depth": .int(0), "batch": .int(1),
            "tokens_per_second": .double(speed), "operations_per_second": .double(speed * 1e9),
            "bytes_per_second": .double(speed * 1e8),
        ]
    }

    private func input() throws -> ReportInput {
        let samples = [1.0, 3, 2].flatMap { [row("affine-q4-g64", "decode", 20 + $0), row("fp16", "prefill", 400 + $0)] }
        let rates: [Row] = [("int8 dot", 804e9), ("memory read", 4.4e9), ("parallel region", 5e5)].map {
            ["kind": .string($0), "rate": .double($1)]
        }
        let file = SampleRun.file([try SampleRun.table(Self.schema, samples), try SampleRun.table(Self.ceilings, rates)])
        return ReportInput(results: file, published: PublishedNumbers(folder: "none"), resultsPath: "r.h5")
    }

    /// Passes of a test are one row, prefill first; shares are of the ceilings of the run.
    @Test func table() throws {
        let definition = try #require(tableDefinitions.first { $0.id == "S1" })
        let table = try #require(try definition.tables(input()).first)
        #expect(table.rows.count == 2)
        let text = table.plainText
        #expect(text.contains("402 [401, 403]") && text.contains("22.0 [21.0, 23.0]"))
        #expect(table.caption.contains("int8 dot 804 GOP/s, memory read 4.40 GB/s, parallel region 2.00 µs"))
        // 402 of 804 GOP/s, and 2.2 of 4.4 GB/s.
        #expect(text.components(separatedBy: "50.0").count == 3)
    }

    @Test func roofline() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "F-roofline" })
        let figure = try #require(try definition.build(input()).first)
        #expect(figure.data.contains("s prefill\ts, 4 layers, fp16, prefill 512\t10\t402"))
        #expect(figure.script.contains("int8 dot, 804 GOP/s"))
    }
}
