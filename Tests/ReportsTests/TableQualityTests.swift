import Foundation
import Reports
import Results
import Testing

struct TableQualityTests {
    private func tables(_ id: String, _ parts: [ResultTable]) throws -> [ReportTable] {
        let definition = try #require(tableDefinitions.first { $0.id == id })
        return try definition.tables(
            ReportInput(
                results: SampleRun.file(parts), published: PublishedNumbers(folder: publishedFolder),
                resultsPath: "results/x/results.h5"))
    }

    private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> ReportTable.Cell {
        table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
    }

    static let kld = TableSchema(
        name: "kld", title: "by window",
        columns: [
            .init("model", .string, ""), .init("text", .string, ""), .init("base_scheme", .string, ""),
            .init("scheme", .string, ""), .init("compute", .string, ""), .init("window_tokens", .int, ""),
            .init("stride_tokens", .int, ""), .init("tokens_scored", .int, ""), .init("kld_sum", .double, ""),
            .init("base_loss_sum", .double, ""), .init("loss_sum", .double, ""), .init("agreements", .int, ""),
            .init("restored_tokens", .int, ""), .init("restored_difference", .double, ""),
            .init("injected_difference", .double, ""), .init("resaved_equal", .int, ""),
        ])

    static let tokens = TableSchema(
        name: "kld_tokens", title: "by token",
        columns: [
            .init("model", .string, ""), .init("text", .string, ""), .init("scheme", .string, ""),
            .init("compute", .string, ""), .init("kld", .double, ""), .init("delta_p", .double, ""),
        ])

    /// Two windows of four tokens a scheme; `divergences` are of a token of each window.
    private func divergence(
        _ schemes: [(scheme: String, compute: String, divergences: [Double])], difference: Double = 0, injected: Double = 0,
        lost: Int = 0
    ) throws -> [ResultTable] {
        var (windows, tokens) = (ResultTable(schema: Self.kld), ResultTable(schema: Self.tokens))
        for (scheme, compute, divergences) in schemes {
            for (index, value) in divergences.enumerated() {
                let series: Row = [
                    "model": .string("mini"), "text": .string("a.md"), "scheme": .string(scheme), "compute": .string(compute),
                ]
                let window: Row = [
                    "base_scheme": .string("fp16"), "window_tokens": .int(8), "stride_tokens": .int(4),
                    "tokens_scored": .int(4), "kld_sum": .double(4 * value), "base_loss_sum": .double(4 * log(10)),
                    "loss_sum": .double(4 * log(12)), "agreements": .int(3), "restored_tokens": .int(4),
                    "restored_difference": .double(difference), "injected_difference": .double(injected),
                    "resaved_equal": .int(1),
                ]
                try windows.append(series.merging(window) { $1 })
                for _ in 0..<4 - lost {
                    try tokens.append(series.merging(["kld": .double(value), "delta_p": .double(-0.1)]) { $1 })
                }
            }
        }
        return [windows, tokens]
    }

    @Test func divergenceByScheme() throws {
        let table = try #require(
            try tables(
                "kld",
                divergence([("fp16", "fast", [1e-6, 3e-6]), ("q8", "reference", [2e-6, 4e-6]), ("q2", "reference", [0.1, 0.3])])
            ).first)
        #expect(table.id == "kld-mini" && table.rows.count == 3)
        #expect(try abs(#require(cell(table, 2, "kld_mean").number) - 0.2) < 1e-12)
        let interval = try #require(cell(table, 2, "kld_mean").estimate)
        #expect(abs(interval.low - 0.1) < 1e-12 && abs(interval.high - 0.3) < 1e-12 && interval.sampleCount == 2)
        #expect(try cell(table, 2, "kld_max") == .number(0.3))
        #expect(try abs(#require(cell(table, 2, "perplexity").number) - 12) < 1e-9)
        #expect(try abs(#require(cell(table, 2, "ln_ppl_ratio").number) - log(1.2)) < 1e-12)
        #expect(try cell(table, 2, "top1").number == 0.75)
        #expect(try abs(#require(cell(table, 2, "delta_p_rms").number) - 0.1) < 1e-12)
        #expect(try cell(table, 0, "floor") == .text("is the floor"))
        #expect(try cell(table, 1, "floor") == .text("not distinguishable"))
        #expect(try cell(table, 2, "floor") == .text("above"))
        // Eight tokens have no p99.
        #expect(try cell(table, 2, "kld_p99") == .missing("too few tokens for this tail"))
        #expect(table.notes.last?.hasSuffix("was the same.") == true)
    }

    @Test func aDifferenceAfterLoadingIsSaid() throws {
        let table = try #require(try tables("kld", divergence([("q4", "reference", [0.1, 0.3])], difference: 0.5)).first)
        #expect(try cell(table, 0, "restored_difference") == .number(0.5))
        #expect(table.notes.last?.hasSuffix("which is an error of the program.") == true)
        #expect(try cell(table, 0, "floor") == .missing("this run has no noise floor"))
    }

    @Test func aDifferenceInAnotherAgentsHandsIsSaid() throws {
        let table = try #require(try tables("kld", divergence([("q4", "reference", [0.1, 0.3])], injected: 0.25)).first)
        #expect(try cell(table, 0, "restored_difference") == .number(0) && cell(table, 0, "injected_difference") == .number(0.25))
        #expect(table.notes.last?.hasSuffix("which is an error of the program.") == true)
    }

    @Test func lostTokensAreNoticed() throws {
        #expect(
            throws: ReportsError.inconsistent(
                table: "kld_tokens", problem: "mini, q4: 6 tokens, and 'kld' says 8")
        ) { try tables("kld", divergence([("q4", "reference", [0.1, 0.3])], lost: 1)) }
    }

    static let tasks = TableSchema(
        name: "tasks", title: "answers",
        columns: [
            .init("model", .string, ""), .init("scheme", .string, ""), .init("task", .string, ""),
            .init("document", .int, ""), .init("answer", .int, ""), .init("right", .int, ""),
        ])

    @Test func answersAreComparedOneByOne() throws {
        var table = ResultTable(schema: Self.tasks)
        for (scheme, wrong) in [("fp16", 0), ("q4", 2), ("q2", 10)] {
            for k in 0..<20 {
                try table.append([
                    "model": .string("mini"), "scheme": .string(scheme), "task": .string("recall"),
                    "document": .int(Int64(k / 2)), "answer": .int(Int64(k % 2)), "right": .int(k < wrong ? 0 : 1),
                ])
            }
        }
        let report = try #require(try tables("tasks", [table]).first)
        #expect(try cell(report, 0, "right").number == 1)
        #expect(try cell(report, 0, "p_holm") == .missing("what the others are compared with"))
        #expect(try cell(report, 0, "documents") == .count(10))
        // McNemar: 2·(1/2)² and 2·(1/2)¹⁰; Holm: the smaller one twice, the larger at least that.
        #expect(try cell(report, 1, "p_holm") == .number(0.5))
        #expect(try cell(report, 2, "p_holm") == .number(4 / 1024.0))
        let estimate = try #require(cell(report, 2, "right").estimate)
        #expect(estimate.value == 0.5 && estimate.low > 0.29 && estimate.high < 0.71)
    }
}
