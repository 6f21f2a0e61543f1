import Reports
import Results
import Testing

@Suite struct PeerQualityTableTests {
    private static let schema = TableSchema(
        name: "peer_quality", title: "Predictions",
        columns: [
            .init("model", .string, ""), .init("contender", .string, ""), .init("program", .string, ""), .init("version", .string, ""),
            .init("kv", .string, ""), .init("base_kv", .string, ""), .init("beside", .string, ""), .init("failure", .string, ""),
            .init("isa", .string, ""), .init("window_tokens", .int, ""), .init("windows", .int, ""), .init("tokens_scored", .int, ""),
            .init("threads", .int, ""), .init("kld_mean", .double, ""), .init("kld_standard_error", .double, ""),
            .init("same_top", .double, ""), .init("bytes_per_token", .double, ""), .init("lowest_ratio", .double, ""),
            .init("highest_ratio", .double, ""),
        ])

    private func row(_ contender: String, _ mean: Double, bytes: Double, beside: String = "", failure: String = "") -> Row {
        let parts = contender.split(separator: " ", maxSplits: 1).map(String.init)
        return [
            "model": .string("mini"), "contender": .string(contender), "program": .string(parts[0]), "version": .string(parts[0] + " 1"),
            "kv": .string(parts[1]), "base_kv": .string(parts[0] == "kvlab" ? "fp16" : "f16"), "beside": .string(beside),
            "failure": .string(failure), "isa": .string("avx512"), "window_tokens": .int(512), "windows": .int(8),
            "tokens_scored": .int(2040), "threads": .int(2), "kld_mean": .double(mean), "kld_standard_error": .double(mean / 10),
            "same_top": .double(0.98), "bytes_per_token": .double(bytes), "lowest_ratio": .double(beside.isEmpty ? .nan : 0.9),
            "highest_ratio": .double(beside.isEmpty ? .nan : 1.1),
        ]
    }

    @Test func ratiosAndVerdicts() throws {
        let rows = [
            row("llama.cpp q8_0", 0.00002, bytes: 1632), row("llama.cpp q4_0", 0.002, bytes: 864),
            row("llama.cpp q4_0, rotated", .nan, bytes: 864, failure: "it died of signal 4"),
            row("llama.cpp q5_1", 0.000001, bytes: 1000),
            row("kvlab queries-q8_0(q8_0)", 0.000021, bytes: 1632, beside: "llama.cpp q8_0"),
            row("kvlab q4_0", 0.0023, bytes: 864, beside: "llama.cpp q4_0"),
            row("kvlab hadamard-64(q4_0)", 0.001, bytes: 864, beside: "llama.cpp q4_0, rotated"),
            row("kvlab q5_1", 0.000001, bytes: 1000, beside: "llama.cpp q5_1"),
            row("kvlab affine-q4-g64", 0.0021, bytes: 864),
        ]
        let input = ReportInput(
            results: SampleRun.file([try SampleRun.table(Self.schema, rows)]), published: PublishedNumbers(folder: publishedFolder),
            resultsPath: "results/x/results.h5")
        let definition = try #require(tableDefinitions.first { $0.id == "S4" })
        let table = try #require(try definition.tables(input).first)
        #expect(table.id == "S4-mini" && table.rows.count == 5)
        func cell(_ cache: String, _ key: String) throws -> ReportTable.Cell {
            let row = try #require(table.rows.first { $0[0] == .text(cache) })
            return row[try #require(table.columns.firstIndex { $0.key == key })]
        }
        func ratio(_ cache: String) throws -> Estimate? {
            guard case .estimate(let estimate) = try cell(cache, "ratio") else { return nil }
            return estimate
        }
        let eight = try #require(try ratio("queries-q8_0(q8_0)"))
        #expect(abs(eight.value - 1.05) <= 1e-12 && abs(eight.low - 21 / 20.5) <= 1e-9 && abs(eight.high - 21 / 19.5) <= 1e-9)
        #expect(try cell("queries-q8_0(q8_0)", "verdict") == .text("met"))
        let four = try #require(try ratio("q4_0"))
        #expect(abs(four.value - 1.15) <= 1e-12)
        #expect(try cell("q4_0", "verdict") == .text("missed"))
        let words = "llama.cpp q4_0, rotated gave no number: it died of signal 4"
        #expect(try cell("hadamard-64(q4_0)", "verdict") == .missing(words))
        #expect(try cell("hadamard-64(q4_0)", "peer_bytes_per_token") == .number(864))
        #expect(try cell("q5_1", "ratio") == .missing("llama.cpp q5_1 printed a divergence of 1e-06, too few digits for a ratio"))
        #expect(try cell("affine-q4-g64", "peer") == .text("") && cell("affine-q4-g64", "kvlab_kld").number == 0.0021)
        #expect(table.caption.contains("8 windows of 512 tokens") && table.caption.contains("(f16 and fp16)"))
    }
}
