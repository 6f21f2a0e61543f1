import Reports
import Results
import Testing

@Suite struct PeerSpeedTableTests {
    private static let schema = TableSchema(
        name: "peer_speed", title: "Speed",
        columns: [
            .init("test", .string, ""), .init("shape", .string, ""), .init("layers", .int, ""), .init("kind", .string, ""),
            .init("tokens", .int, ""), .init("depth_tokens", .int, ""), .init("contender", .string, ""),
            .init("program", .string, ""), .init("pass", .int, ""), .init("tokens_per_second", .double, ""),
            .init("failure", .string, ""), .init("threads", .int, ""), .init("isa", .string, ""),
        ])
    private static let targetSchema = TableSchema(
        name: "peer_targets", title: "Targets",
        columns: [
            .init("test", .string, ""), .init("of", .string, ""), .init("over", .string, ""), .init("at_least", .double, ""),
        ])

    private func row(_ contender: String, pass: Int, _ speed: Double, _ failure: String = "") -> Row {
        [
            "test": .string("llama/1/decode 32 at 16384"), "shape": .string("llama"), "layers": .int(1),
            "kind": .string("decode"), "tokens": .int(32), "depth_tokens": .int(16384), "contender": .string(contender),
            "program": .string(String(contender.split(separator: " ")[0])), "pass": .int(Int64(pass)),
            "tokens_per_second": .double(speed), "failure": .string(failure), "threads": .int(2), "isa": .string("avx512"),
        ]
    }

    private func target(_ over: String, _ atLeast: Double) -> Row {
        [
            "test": .string("llama/1/decode 32 at 16384"), "of": .string("kvlab q4"), "over": .string(over),
            "at_least": .double(atLeast),
        ]
    }

    private func table() throws -> ReportTable {
        // The machine slows down from pass to pass; what is compared is within a pass.
        let rows = (1...3).flatMap { pass in
            let speed = 1 / Double(pass)
            return [
                row("llama.cpp f16", pass: pass, 100 * speed), row("kvlab q4", pass: pass, 300 * speed),
                row("llama.cpp q4_0", pass: pass, .nan, "it died of signal 4"), row("kvlab fp16", pass: pass, 200 * speed),
            ]
        }
        let file = SampleRun.file([
            try SampleRun.table(Self.schema, rows),
            try SampleRun.table(
                Self.targetSchema, [target("llama.cpp f16", 2.5), target("kvlab fp16", 1.6), target("llama.cpp q4_0", 4)]),
        ])
        let definition = try #require(tableDefinitions.first { $0.id == "S2" })
        let input = ReportInput(
            results: file, published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
        let tables = try definition.tables(input)
        return try #require(tables.first)
    }

    @Test func ratiosAndTargets() throws {
        let table = try table()
        #expect(table.rows.count == 5)
        #expect(table.rows.allSatisfy { $0[2] == .text("decode 32 at 16K") })
        func cells(_ of: String, _ over: String) throws -> ArraySlice<ReportTable.Cell> {
            try #require(table.rows.first { $0[3] == .text(of) && $0[5] == .text(over) })[7...]
        }
        let met = try cells("kvlab q4", "llama.cpp f16")
        let ratio = try #require(met[8].number)
        #expect(met[7] == .count(3) && abs(ratio - 3) < 1e-12)
        #expect(met[9] == .number(2.5) && met[10] == .text("met"))
        #expect(try cells("kvlab q4", "kvlab fp16")[10] == .text("missed"))
        #expect(try cells("kvlab fp16", "llama.cpp f16")[10] == .text(""))
        let reason = "it gave no number: it died of signal 4"
        let failed = try cells("kvlab q4", "llama.cpp q4_0")
        #expect(failed[7] == .count(0) && failed[8] == .missing(reason) && failed[10] == .missing(reason))
    }
}
