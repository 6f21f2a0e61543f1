import Reports
import Results
import Testing

@Suite struct PeerRestoreTableTests {
    private static let schema = TableSchema(
        name: "peer_restore", title: "Restore",
        columns: [
            .init("shape", .string, ""), .init("layers", .int, ""), .init("context_tokens", .int, ""),
            .init("extension_tokens", .int, ""), .init("output_tokens", .int, ""), .init("threads", .int, ""),
            .init("isa", .string, ""), .init("contender", .string, ""), .init("program", .string, ""),
            .init("kv", .string, ""), .init("weights", .string, ""), .init("version", .string, ""), .init("state", .string, ""),
            .init("pass", .int, ""), .init("seconds", .double, ""), .init("hit_tokens", .int, ""),
            .init("same_tokens", .int, ""), .init("disk_bytes", .int, ""), .init("memory_bytes", .int, ""),
            .init("peak_rss_bytes", .int, ""), .init("failure", .string, ""),
        ])

    private func row(
        _ contender: String, _ state: String, pass: Int, _ seconds: Double, same: Int = -1, hits: Int = -1, disk: Int = -1,
        memory: Int = -1, failure: String = ""
    ) -> Row {
        [
            "shape": .string("llama"), "layers": .int(4), "context_tokens": .int(4096), "extension_tokens": .int(24),
            "output_tokens": .int(16), "threads": .int(2), "isa": .string("avx512"), "contender": .string(contender),
            "program": .string(String(contender.split(separator: " ")[0])),
            "kv": .string(String(contender.split(separator: " ")[1])), "weights": .string("4 bits"), "version": .string("v1"),
            "state": .string(state), "pass": .int(Int64(pass)), "seconds": .double(seconds), "hit_tokens": .int(Int64(hits)),
            "same_tokens": .int(Int64(same)), "disk_bytes": .int(Int64(disk)), "memory_bytes": .int(Int64(memory)),
            "peak_rss_bytes": .int(1 << 30), "failure": .string(failure),
        ]
    }

    private func input() throws -> ReportInput {
        // The machine slows down from pass to pass; what is compared is within a pass.
        let rows = (1...5).flatMap { pass -> [Row] in
            let slow = Double(pass)
            return [
                row("llama.cpp f16", "cold", pass: pass, 0.5 * slow, memory: 4000),
                row("llama.cpp f16", "warm", pass: pass, 3 * slow, same: pass == 2 ? 0 : 1, hits: 4096),
                row("llama.cpp f16", "save", pass: pass, slow, disk: 4000),
                row("llama.cpp f16", "reload", pass: pass, 6 * slow), row("kvlab q4", "reload", pass: pass, 2 * slow),
                row("llama.cpp f16", "restart", pass: pass, 2 * slow), row("kvlab q4", "restart", pass: pass, 2 * slow),
                row("kvlab q4", "cold", pass: pass, slow, memory: 1000),
                row("kvlab q4", "warm", pass: pass, slow, same: 1, hits: 4096), row("kvlab q4", "save", pass: pass, slow, disk: 1000),
                row("mlx-lm q4", "cold", pass: pass, 2 * slow, memory: 999),
                row("mlx-lm q4", "warm", pass: pass, .nan, failure: "it died of signal 4"),
                row("transformers bf16", "warm", pass: pass, slow * (pass > 2 ? 1.1 : 0.9), same: 1, hits: 12),
            ]
        }
        let file = SampleRun.file([try SampleRun.table(Self.schema, rows)])
        return ReportInput(
            results: file, published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
    }

    @Test func valuesAndRatios() throws {
        let definition = try #require(tableDefinitions.first { $0.id == "S3" })
        let tables = try definition.tables(try input())
        #expect(tables.map(\.id) == ["S3-llama-4", "S3-llama-4-over-kvlab-q4"])
        func cell(_ table: Int, _ contender: String, _ key: String) throws -> ReportTable.Cell {
            let row = try #require(tables[table].rows.first { $0[1] == .text(contender) })
            return row[try #require(tables[table].columns.firstIndex { $0.key == key })]
        }
        #expect(tables[0].rows.map { $0[1] } == ["kvlab q4", "llama.cpp f16", "mlx-lm q4", "transformers bf16"].map { .text($0) })
        #expect(try cell(0, "llama.cpp f16", "warm_s").number == 9)
        #expect(try cell(0, "llama.cpp f16", "same_tokens") == .text("4 of 5"))
        #expect(try cell(0, "kvlab q4", "same_tokens") == .text("all 5"))
        // A restore that brought back a part only computed the rest again.
        #expect(try cell(0, "transformers bf16", "same_tokens") == .text("all 5, 12 tokens restored"))
        #expect(try cell(0, "mlx-lm q4", "warm_s") == .missing("mlx-lm q4 gave no number: it died of signal 4"))
        #expect(try cell(0, "kvlab q4", "disk_bytes") == .number(1000))
        #expect(try cell(0, "kvlab q4", "agents_in_1_gib") == .count(1_073_741))
        #expect(try cell(0, "transformers bf16", "agents_in_1_gib").number == nil)

        #expect(try cell(1, "llama.cpp f16", "cold").number == 0.5)
        #expect(try cell(1, "llama.cpp f16", "warm").number == 3)
        #expect(try cell(1, "llama.cpp f16", "disk_bytes").number == 4)
        #expect(try cell(1, "llama.cpp f16", "start").number == 2 && cell(0, "llama.cpp f16", "start_s").number == 24)
        #expect(try cell(1, "llama.cpp f16", "verdict") == .text("behind: cold; even: after a restart, saving, peak memory"))
        #expect(try cell(1, "transformers bf16", "verdict") == .text("even: from disk, peak memory"))
        #expect(try cell(1, "mlx-lm q4", "warm").number == nil)
        #expect(try cell(1, "mlx-lm q4", "verdict") == .text("even: bytes in memory, peak memory"))
    }

    @Test func figure() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "F-restore" })
        let figure = try #require(try definition.build(try input()).first)
        let lines = figure.data.split(separator: "\n").map { $0.split(separator: "\t") }
        // Cold of three contenders, warm of three, where one failed, and two restarts.
        #expect(lines.count == 1 + 8)
        let warm = try #require(lines.first { $0[0] == "2" && $0[1] == "llama.cpp f16" })
        #expect(warm[2] == "4096" && Double(warm[4]) == 9 && warm[7] == "5")
    }
}
