import Foundation
import Reports
import Results
import Testing

/// The tables and figures of `drift`, `sensitivity` and `continuation`.
struct TableQualityStudiesTests {
    private func input(_ table: ResultTable) -> ReportInput {
        ReportInput(
            results: SampleRun.file([table]), published: PublishedNumbers(folder: publishedFolder),
            resultsPath: "results/x/results.h5")
    }

    private func report(_ id: String, _ table: ResultTable) throws -> ReportTable {
        let definition = try #require(tableDefinitions.first { $0.id == id })
        return try #require(try definition.tables(input(table)).first)
    }

    private func figure(_ id: String, _ table: ResultTable) throws -> Figure {
        let definition = try #require(figureDefinitions.first { $0.id == id })
        return try #require(try definition.build(input(table)).first)
    }

    private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> ReportTable.Cell {
        table.rows[row][try #require(table.columns.firstIndex { $0.key == column })]
    }

    private func schema(_ name: String, strings: [String], ints: [String], doubles: [String]) -> TableSchema {
        TableSchema(
            name: name, title: "",
            columns: strings.map { ColumnSchema($0, .string, "") } + ints.map { ColumnSchema($0, .int, "") }
                + doubles.map { ColumnSchema($0, .double, "") })
    }

    /// Documents of 32 places; the divergence is 1 or 1.5 at first and `end` times that in the last quarter.
    private func drift(end: Double, documents: [String] = ["a", "b", "c", "d"]) throws -> ResultTable {
        var table = ResultTable(
            schema: schema(
                "drift", strings: ["model", "way", "scheme", "base_scheme", "text"], ints: ["prompt_tokens", "place", "agrees"],
                doubles: ["kld"]))
        for text in documents {
            for place in 1...32 {
                try table.append([
                    "model": .string("mini"), "way": .string("generated"), "scheme": .string("q4"),
                    "base_scheme": .string("fp16"), "text": .string(text), "prompt_tokens": .int(512), "place": .int(Int64(place)),
                    "agrees": .int(place > 24 ? 0 : 1), "kld": .double((text < "c" ? 1 : 1.5) * (place > 24 ? end : 1)),
                ])
            }
        }
        return table
    }

    @Test func growthIsTheLastQuarterOverTheFirst() throws {
        let table = try report("drift", drift(end: 3))
        #expect(table.id == "drift-mini")
        #expect(try cell(table, 0, "kld_first").number == 1.25 && cell(table, 0, "kld_last").number == 3.75)
        #expect(try cell(table, 0, "growth").number == 3 && cell(table, 0, "grows") == .text("grows"))
        #expect(try cell(table, 0, "top1_first") == .number(1) && cell(table, 0, "top1_last") == .number(0))
        #expect(try cell(report("drift", drift(end: 0.5)), 0, "grows") == .text("shrinks"))
        #expect(try cell(report("drift", drift(end: 1)), 0, "grows") == .text("no change seen"))
        #expect(
            try cell(report("drift", drift(end: 3, documents: ["a", "b"])), 0, "grows") == .missing("fewer than 4 documents"))
        let lines = try figure("F-drift", drift(end: 3)).data.split(separator: "\n")
        #expect(lines.count == 1 + 16 && lines[1].hasPrefix("0\tmini\tgenerated\tq4\t1.5\t1.25\t"))
    }

    /// Two layers: the divergence of a part of layer l is (l + 1) · `factor`, in two windows of 10 tokens.
    /// - Parameter heads: the same of two heads of each layer, if they were measured.
    private func sensitivity(heads: Bool = false) throws -> ResultTable {
        var table = ResultTable(
            schema: schema(
                "sensitivity", strings: ["model", "scheme", "part", "base_scheme"],
                ints: ["layer", "window_tokens", "tokens_scored", "agreements"] + (heads ? ["head"] : []), doubles: ["kld_sum"]))
        let parts = [("keys", 1.0), ("values", 2.0), ("both", 4.0)]
        let subjects = (0...1).flatMap { layer in parts.map { (layer, $0.0, Double(layer + 1) * $0.1) } } + [(-1, "both", 8.0)]
        for window in 0...1 {
            for (layer, part, kld) in subjects {
                try table.append([
                    "model": .string("mini"), "scheme": .string("q2"), "part": .string(part), "base_scheme": .string("fp16"),
                    "layer": .int(Int64(layer)), "window_tokens": .int(11), "tokens_scored": .int(10), "agreements": .int(9),
                    "kld_sum": .double(10 * kld * (window == 0 ? 0.5 : 1.5)), "head": .int(-1),
                ].filter { heads || $0.key != "head" })
            }
            for (layer, head, part) in [(0, 0, "keys"), (0, 0, "values"), (0, 1, "keys"), (0, 1, "values")] where heads {
                try table.append([
                    "model": .string("mini"), "scheme": .string("q2"), "part": .string(part), "base_scheme": .string("fp16"),
                    "layer": .int(Int64(layer)), "head": .int(Int64(head)), "window_tokens": .int(11), "tokens_scored": .int(10),
                    "agreements": .int(9), "kld_sum": .double(part == "keys" ? 2 + Double(head) : 1),
                ])
            }
        }
        return table
    }

    @Test func headsBesideLayers() throws {
        let definition = try #require(tableDefinitions.first { $0.id == "sensitivity" })
        let tables = try definition.tables(input(sensitivity(heads: true)))
        #expect(tables.map(\.id) == ["sensitivity-mini-q2", "sensitivity-heads-mini-q2"])
        #expect(tables[0].rows.count == 3 && tables[0].notes.count == 1)
        #expect(tables[1].rows.map { $0[0] } == [.text("layer 0, head 0"), .text("layer 0, head 1")])
        #expect(tables[1].columns.map(\.key) == ["layer", "kld_keys", "kld_values"])
        #expect(try cell(tables[1], 1, "kld_keys").estimate?.value == 0.3)
        let figures = try #require(figureDefinitions.first { $0.id == "F-sensitivity" }).build(input(sensitivity(heads: true)))
        #expect(figures.map(\.id) == ["F-sensitivity", "F-sensitivity-heads"])
        let lines = figures[1].data.split(separator: "\n")
        #expect(lines.count == 1 + 4 && lines[3] == "0\tmini\tq2\t0.1\t1\tkeys\t1\t0.3")
    }

    @Test func layersByPart() throws {
        let table = try report("sensitivity", sensitivity())
        #expect(table.rows.count == 3)
        #expect(try cell(table, 0, "layer") == .text("layer 0") && cell(table, 2, "layer") == .text("all layers"))
        let keys = try #require(cell(table, 1, "kld_keys").estimate)
        #expect(keys.value == 2 && keys.low == 1 && keys.high == 3)
        #expect(try cell(table, 1, "kld_values").number == 4 && cell(table, 1, "kld_both").number == 8)
        #expect(try cell(table, 2, "kld_keys") == .missing("not measured apart"))
        #expect(table.notes == ["The divergences of single layers add up to 12.0, which is 1.50 × that of all layers at once."])
        let lines = try figure("F-sensitivity", sensitivity()).data.split(separator: "\n")
        #expect(lines.count == 1 + 6 && lines[4] == "0\tmini\tq2\t1\t1\tkeys\t2\t2")
    }

    /// A map of three bits beside candidates of two and four: a third of the divergence of the one with fewer bits.
    @Test func mapsBesideUniformSchemes() throws {
        var table = ResultTable(
            schema: schema(
                "tune", strings: ["model", "kind", "scheme", "base_scheme", "text"], ints: ["window_tokens", "tokens_scored"],
                doubles: ["budget_bits", "bits_per_element", "predicted_kld", "kld_sum"]))
        for text in ["a", "b"] {
            for (kind, scheme, bits, kld) in [("uniform", "q2", 2.0, 9.0), ("uniform", "q4", 4, 1), ("map", "layers 0: q4; rest: q2", 3, 3)] {
                try table.append([
                    "model": .string("mini"), "kind": .string(kind), "scheme": .string(scheme), "base_scheme": .string("fp16"),
                    "text": .string(text), "window_tokens": .int(11), "tokens_scored": .int(10),
                    "budget_bits": .double(kind == "map" ? 3.2 : 0), "bits_per_element": .double(bits),
                    "predicted_kld": .double(kld / 2), "kld_sum": .double(10 * kld * (text == "a" ? 0.5 : 1.5)),
                ])
            }
        }
        let report = try report("tune", table)
        #expect(try (0..<3).map { try cell(report, $0, "scheme") } == [.text("q2"), .text("layers 0: q4; rest: q2"), .text("q4")])
        #expect(try cell(report, 1, "kld").estimate?.value == 3 && cell(report, 1, "predicted") == .number(1.5))
        let ratio = try #require(cell(report, 1, "against_uniform").estimate)
        #expect(abs(ratio.value - 1 / 3) < 1e-12 && abs(ratio.high - 1 / 3) < 1e-12)
        #expect(try cell(report, 0, "budget") == .missing("a uniform scheme has no budget"))
    }

    /// Ten answers, the five nearest right: in five parts of two.
    @Test func recallByDistance() throws {
        var table = ResultTable(
            schema: schema(
                "tasks", strings: ["model", "scheme", "task"], ints: ["distance_bytes", "right", "document", "answer"],
                doubles: []))
        for distance in (1...10).reversed() {
            for task in ["recall", "copy"] {
                try table.append([
                    "model": .string("mini"), "scheme": .string("q4"), "task": .string(task),
                    "distance_bytes": .int(Int64(100 * distance)), "right": .int(distance <= 5 ? 1 : 0), "document": .int(0),
                    "answer": .int(Int64(distance)),
                ])
            }
        }
        let lines = try figure("F-recall-distance", table).data.split(separator: "\n").dropFirst().map {
            $0.split(separator: "\t").map(String.init)
        }
        #expect(lines.map { $0[3] } == ["150", "350", "550", "750", "950"])
        #expect(lines.map { $0[4] } == ["1", "1", "0.5", "0", "0"] && lines.allSatisfy { $0[7] == "2" })
    }

    @Test(arguments: [(1000, 0.0, 1, true), (999, 0, 1, false), (1000, 0.5, 1, false), (1000, 0, 0, false)])
    func aDifferenceAfterAnEvictionIsSaid(same: Int, difference: Double, equal: Int, good: Bool) throws {
        var table = ResultTable(
            schema: schema(
                "continuation", strings: ["model", "scheme", "compute"],
                ints: ["prompt_tokens", "tokens", "evictions", "distinct_tokens", "same_tokens", "resaved_equal"],
                doubles: ["largest_difference"]))
        try table.append([
            "model": .string("mini"), "scheme": .string("q4"), "compute": .string("fast"), "prompt_tokens": .int(512),
            "tokens": .int(1000), "evictions": .int(9), "distinct_tokens": .int(200), "same_tokens": .int(Int64(same)),
            "resaved_equal": .int(Int64(equal)), "largest_difference": .double(difference),
        ])
        let report = try report("continuation", table)
        #expect(try cell(report, 0, "same_tokens") == .number(Double(same)))
        #expect(report.notes[0].hasSuffix(good ? "was the same." : "which is an error of the program."))
    }
}
