import Foundation
import Reports
import Results
import Testing

/// The tables and the figure of `hops`.
struct TableHopsTests {
    private func input(_ tables: [ResultTable]) -> ReportInput {
        ReportInput(
            results: SampleRun.file(tables), published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
    }

    private func report(_ id: String, _ tables: [ResultTable]) throws -> ReportTable {
        let definition = try #require(tableDefinitions.first { $0.id == id })
        return try #require(try definition.tables(input(tables)).first)
    }

    private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> ReportTable.Cell {
        table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
    }

    /// 40 answers of 20 documents: those right with a controller are the first ones, all without a handoff.
    static func hops(
        uniform: Int, adaptive: Int, base: Int = 40, task: String = "recall", documents: Int = 20
    ) throws -> ResultTable {
        let isScored = task == "recall"
        var rows: [Row] = []
        func add(_ controller: String, _ budget: Double, _ hops: Int, _ right: Int, kld: Double) {
            for answer in 0..<40 {
                rows.append([
                    "model": .string("mini"), "task": .string(task), "keys": .string("rotated"), "moves": .int(256),
                    "controller": .string(controller), "budget_bits": .double(budget), "hops": .int(Int64(hops)),
                    "document": .int(Int64(answer % documents)), "answer": .int(Int64(answer / documents)), "handed_tokens": .int(400),
                    "stored_bits": .double(budget), "card_bytes": .int(1000), "right": .int(answer < right ? 1 : 0),
                    "tokens_scored": .int(isScored ? 2 : 0), "agreements": .int(2), "kld_sum": isScored ? .double(kld) : .missing,
                ])
            }
        }
        add("none", 0, 0, base, kld: 0)
        for hops in [1, 4] {
            add("uniform", 3, hops, uniform, kld: 0.25 * Double(hops))
            add("topology", 3, hops, adaptive, kld: 0.125)
            add("uniform", 16, hops, base, kld: 0.001)
        }
        return try inferredTable("hops", rows)
    }

    @Test(arguments: [(20, 38, "adaptive better"), (38, 20, "uniform better"), (30, 33, "no difference shown")])
    func theVerdictFollowsFromTheRule(uniform: Int, adaptive: Int, verdict: String) throws {
        let table = try report("Q2", [Self.hops(uniform: uniform, adaptive: adaptive)])
        #expect(table.id == "Q2-mini-recall" && table.notes.isEmpty)
        // Not handed on, the finest cards after 1 and 4 hops, and the budget after 1 and 4.
        #expect(table.rows.count == 5)
        #expect(try cell(table, 0, "budget_bits") == .text("none") && cell(table, 0, "uniform_right").number == 1)
        #expect(try cell(table, 2, "budget_bits") == .text("16") && cell(table, 2, "hops") == .number(4))
        #expect(try cell(table, 4, "budget_bits") == .text("3") && cell(table, 4, "hops") == .number(4))
        #expect(try cell(table, 4, "uniform_right").number == Double(uniform) / 40)
        #expect(try cell(table, 4, "adaptive_right").number == Double(adaptive) / 40)
        #expect(try cell(table, 4, "uniform_kld").number == 0.5 && cell(table, 4, "adaptive_kld").number == 0.0625)
        #expect(try cell(table, 4, "verdict") == .text(verdict))
        // Two hops are two comparisons.
        let one = Statistics.mcNemar(onlyFirst: max(0, uniform - adaptive), onlySecond: max(0, adaptive - uniform))
        #expect(try cell(table, 4, "p_holm") == .number(min(1, 2 * one)))
    }

    @Test func whatAModelCannotDoIsSaid() throws {
        let table = try report("Q2", [Self.hops(uniform: 2, adaptive: 2, base: 10)])
        #expect(table.notes == ["Less than half is right without any handoff: what handoffs do to these answers says little."])
    }

    @Test func controllersSideBySide() throws {
        let table = try report("Q3", [Self.hops(uniform: 20, adaptive: 38)])
        #expect(table.rows.count == 2 && table.id == "Q3-mini-recall")
        #expect(try cell(table, 0, "controller") == .text("uniform") && cell(table, 1, "controller") == .text("topology"))
        #expect(try cell(table, 1, "right_last").number == 0.95 && cell(table, 0, "kld_first").number == 0.125)
        #expect(try cell(table, 0, "p_holm") == .missing("what the others are compared with"))
        #expect(try #require(cell(table, 1, "p_holm").number) < 0.001)
    }

    /// Answers that were generated are compared as all others are, without a divergence.
    @Test func generatedAnswersHaveNoDivergence() throws {
        let hops = try Self.hops(uniform: 20, adaptive: 38, task: "gsm8k")
        let none = ReportTable.Cell.missing("generated answers are not compared token by token")
        let second = try report("Q2", [hops])
        #expect(second.id == "Q2-mini-gsm8k" && second.rows.count == 5)
        #expect(second.caption.contains("answers greedily by itself") && !second.caption.contains("KLD"))
        #expect(try cell(second, 4, "uniform_right").number == 0.5 && cell(second, 4, "adaptive_right").number == 0.95)
        #expect(try cell(second, 4, "verdict") == .text("adaptive better"))
        #expect(try cell(second, 1, "uniform_kld") == none && cell(second, 4, "uniform_kld") == none)
        let third = try report("Q3", [hops])
        #expect(try cell(third, 1, "right_last").number == 0.95 && cell(third, 1, "kld_last") == none)
        let definition = try #require(figureDefinitions.first { $0.id == "F-Q2" })
        #expect(try definition.build(input([hops])).isEmpty)
    }

    @Test func aLineForEachController() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "F-Q2" })
        let figure = try #require(try definition.build(input([Self.hops(uniform: 20, adaptive: 38)])).first)
        let lines = figure.data.split(separator: "\n").map(String.init)
        #expect(lines.count == 1 + 4)
        #expect(lines[1].hasPrefix("0\tmini\trecall\t3\tuniform\t1\t0.125\t") && lines[1].hasSuffix("\t0.5"))
    }

    /// One document has no interval to draw.
    @Test func oneDocumentIsNotDrawn() throws {
        let definition = try #require(figureDefinitions.first { $0.id == "F-Q2" })
        #expect(try definition.build(input([Self.hops(uniform: 20, adaptive: 38, documents: 1)])).isEmpty)
    }

    /// Bytes that the second, third and fourth encoding change, of 1000, in each of two documents.
    @Test(arguments: [([0, 0, 0], "encoding 1"), ([50, 0, 0], "encoding 2"), ([50, 20, 10], "never")])
    func whatEncodingAgainChanges(changed: [Int], stable: String) throws {
        var rows: [Row] = []
        for document in 0..<2 {
            for hop in 1...4 {
                rows.append([
                    "model": .string("mini"), "scheme": .string("q4"), "keys": .string("rotated"),
                    "receiver_scheme": .string("fp16"), "moves": .int(0), "hops": .int(Int64(hop)),
                    "document": .int(Int64(document)), "payload_bytes": .int(1000),
                    "changed_bytes": .int(hop == 1 ? -1 : Int64(changed[hop - 2])), "tokens_scored": .int(4),
                    "kld_sum": .double(0.5 * Double(hop)),
                ])
            }
        }
        let table = try report("requantization", [try inferredTable("requantization", rows)])
        #expect(table.rows.count == 1)
        #expect(try cell(table, 0, "changed_2").number == Double(changed[0]) / 1000)
        #expect(try cell(table, 0, "changed_last").number == Double(changed[2]) / 1000)
        #expect(try cell(table, 0, "kld_first").number == 0.125 && cell(table, 0, "stable") == .text(stable))
    }
}
