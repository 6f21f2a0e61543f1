import Foundation
import Reports
import Results
import Testing

struct Table09PerplexityTests {
    static let schema = TableSchema(
        name: "perplexity", title: "by window",
        columns: ["cell", "protocol", "model", "paper_model", "same_shape_as", "weights", "text", "text_sha256", "start_token",
            "base_scheme", "scheme",
        ].map { ColumnSchema($0, .string, "") }
            + ["sliding_window_tokens", "documents", "window", "window_tokens", "stride_tokens", "step_tokens", "tokens_scored"]
            .map { ColumnSchema($0, .int, "") }
            + ["base_loss_sum", "loss_sum", "kld_sum", "first_kld"].map { ColumnSchema($0, .double, "") })

    private func table(_ rows: [Row]) throws -> ReportTable {
        var table = ResultTable(schema: Self.schema)
        for row in rows { try table.append(row) }
        let definition = try #require(tableDefinitions.first { $0.id == "T9" })
        let input = ReportInput(
            results: SampleRun.file([table]), published: PublishedNumbers(folder: publishedFolder),
            resultsPath: "results/x/results.h5")
        return try #require(try definition.tables(input).first)
    }

    /// Two windows of 100 tokens, the losses with the cache larger by `changes` nats a token.
    private func rows(
        scheme: String = "affine-q4-g64", paperModel: String = "llama3.1-8b", shape: String = "", changes: [Double],
        first: Double = 0.001
    ) -> [Row] {
        changes.enumerated().map { index, change in
            [
                "cell": .string("c"), "protocol": .string("paper"), "model": .string("mini"), "paper_model": .string(paperModel),
                "same_shape_as": .string(shape), "weights": .string("w"), "sliding_window_tokens": .int(0),
                "text": .string("articles"), "text_sha256": .string("0"), "documents": .int(10), "start_token": .string("text"),
                "base_scheme": .string("fp16"), "scheme": .string(scheme), "window": .int(Int64(index)),
                "window_tokens": .int(512), "stride_tokens": .int(256), "step_tokens": .int(512), "tokens_scored": .int(100),
                "base_loss_sum": .double(100 * log(20)), "loss_sum": .double(100 * (log(20) + change)),
                "kld_sum": .double(1), "first_kld": .double(index == 0 ? first : .nan),
            ]
        }
    }

    private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> ReportTable.Cell {
        table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
    }

    @Test func changesBesideThePapers() throws {
        let table = try table(rows(changes: [0.01, 0.02]) + rows(scheme: "affine-q2-g64", changes: [0.2, 0.4]))
        #expect(table.id == "T9-paper-articles")
        #expect(try abs(#require(cell(table, 0, "base_here").number) - 20) < 1e-9)
        #expect(try abs(#require(cell(table, 0, "quantized_here").number) - 20 * exp(0.015)) < 1e-9)
        let change = try #require(cell(table, 0, "change_here").estimate)
        #expect(abs(change.value - (exp(0.015) - 1)) < 1e-12)
        #expect(abs(change.low - (exp(0.01) - 1)) < 1e-12 && abs(change.high - (exp(0.02) - 1)) < 1e-12)
        #expect(try abs(#require(cell(table, 0, "ln_ratio").number) - 0.015) < 1e-12)
        // The mean of two windows drawn from two: 0.01, 0.015, 0.015, 0.02 with the same chance.
        #expect(try abs(#require(cell(table, 0, "ln_ratio_se").number) - 0.005 / 2.0.squareRoot()) < 2e-4)
        #expect(try cell(table, 0, "fp16_paper") == .number(4.28) && cell(table, 0, "q4_paper") == .number(4.4))
        #expect(try abs(#require(cell(table, 0, "change_paper").number) - 0.028) < 1e-12)
        #expect(try cell(table, 0, "verdict") == .verdict(.reproduced))
        // The paper has one scheme; what it has no number for gets no verdict.
        #expect(try cell(table, 1, "verdict") == .missing("the paper has affine-q4-g64 only"))
        #expect(try cell(table, 1, "fp16_paper") == .number(4.28))
        #expect(table.caption.contains("windows of 512 tokens every 256") && table.caption.contains(" 200 tokens."))
        #expect(table.caption.contains("a start token at the beginning of the text only"))
        #expect(table.caption.contains("one forward pass a window"))
    }

    @Test func aLargerChangeDiffers() throws {
        let one = try table(rows(changes: [0.01, 0.05]))
        #expect(try cell(one, 0, "verdict") == .verdict(.differs))
        // Within 3 %, although P1's Gemma became better.
        let gemma = try table(rows(paperModel: "gemma3-12b", changes: [0.01, 0.02]))
        #expect(try cell(gemma, 0, "verdict") == .verdict(.reproduced))
        let single = try table(rows(changes: [0.01]))
        #expect(try cell(single, 0, "verdict") == .missing("an interval needs two windows"))
    }

    @Test func saysWhichRowsAreReadAndWhatSmallModelsCannotSay() throws {
        let small = try table(rows(changes: [0.01, 0.02]))
        #expect(small.notes.count == 2 && small.notes[0].hasSuffix("which sees no other row, differs from fp16."))
        #expect(small.notes[1].hasPrefix("What small models can say of those of 8 to 16 billion parameters, and what not."))
        let own = try table(rows(scheme: "s", shape: "llama3.1-8b", changes: [0.01, 0.02], first: 0))
        #expect(own.notes.count == 1 && own.notes[0].hasSuffix("but for s, whose newest rows are read unquantized."))
    }
}
