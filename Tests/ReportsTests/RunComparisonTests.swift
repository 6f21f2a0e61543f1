import Foundation
import Reports
import Results
import Testing

@Suite struct RunComparisonTests {
    private func compare(_ a: ResultsFile, _ b: ResultsFile) throws -> RunComparison {
        try RunComparison(a, b, published: publishedFolder)
    }

    private func ttft(_ warm: [Double]) throws -> ResultsFile {
        let rows = warm.enumerated().flatMap { pass, seconds in
            [
                ClaimSample.ttftRow("cold", 4096, 100, "llama3.1-8b", pass: pass),
                ClaimSample.ttftRow("warm", 4096, seconds, "llama3.1-8b", pass: pass),
            ]
        }
        return SampleRun.file([try SampleRun.table(SampleRun.ttftSchema, rows)])
    }

    @Test func aRunIsTheSameAsItself() throws {
        let file = try SampleRun.full()
        let same = try compare(file, file)
        #expect(same.isSame && same.facts.isEmpty && same.cells.count > 100)
        #expect(same.cells.allSatisfy { $0.kind == .same && ($0.ratio ?? 1) == 1 })
        // Published numbers are in every run alike and say nothing.
        #expect(!same.cells.contains { $0.column.hasSuffix(", paper") })
    }

    /// Intervals that overlap are the same, others are not, and the time of a run half as fast is twice as long.
    @Test func estimatesChangeWhereIntervalsDoNotOverlap() throws {
        let base = try ttft([1, 1.1, 1.2])
        #expect(try compare(base, try ttft([1.15, 1.3, 1.4])).count(.changed) == 0)
        let slower = try compare(base, try ttft([2, 2.2, 2.4]))
        #expect(!slower.isSame)
        let cell = try #require(slower.cells.first { $0.table.hasPrefix("T3-llama") && $0.column.hasPrefix("TTFT, here") && $0.kind == .changed })
        #expect(abs(try #require(cell.ratio) - 2) < 1e-12)
        #expect(cell.row.contains("4K") && cell.row.contains("warm exact"))
        #expect(slower.text.contains("What changed\n"))
        #expect(slower.expectedByChance > 0)
        let json = try JSONSerialization.jsonObject(with: Data(try slower.json().utf8)) as? [String: Any]
        #expect(json?["isSame"] as? Bool == false)
    }

    @Test func countsMustBeEqual() throws {
        func file(_ bytes: Int) throws -> ResultsFile {
            let row = SampleRun.capacityRow(
                shape: "llama-quick", paperModel: "", scheme: "fp16", context: 4096, budget: SampleRun.gemmaBudget,
                bytesPerAgent: bytes)
            return SampleRun.file([try SampleRun.table(SampleRun.capacitySchema, [row])])
        }
        let changed = try compare(try file(1 << 20), try file((1 << 20) + 4096))
        #expect(!changed.isSame)
        #expect(Set(changed.cells.filter { $0.kind == .changed }.map(\.table)) == ["T14"])
    }

    @Test func whatOneRunLacksIsSaid() throws {
        let lacking = try compare(try SampleRun.full(), SampleRun.file([]))
        #expect(!lacking.isSame && lacking.count(.onlyInFirst) > 100 && lacking.count(.onlyInSecond) == 0)
        #expect(lacking.text.contains("Numbers only in the first: "))
    }

    @Test func factsThatDifferAreListed() throws {
        var other = try SampleRun.full()
        other.run.git.commit = "f00"
        other.machine[0].value = .string("Another CPU")
        other.machine.removeLast()
        let facts = try compare(try SampleRun.full(), other).facts
        #expect(facts.map(\.name) == ["commit", "cpu_model", "kernel"])
        #expect(facts[1].second == "Another CPU" && facts[2].second == "not recorded")
    }
}
