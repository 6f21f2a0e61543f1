import Experiments
import Results
import Testing

@Suite struct TimeEstimateTests {
    private func run(_ cells: [(String, Double)]) -> ResultsFile {
        ResultsFile(
            run: RunRecord(
                runID: "r", startedAtNanoseconds: 0, arguments: [], profile: "quick", configuration: "", configurationHash: "",
                git: .unknown, kvlabVersion: "0"),
            machine: [Attribute("cpu_model", .string("A CPU")), Attribute("cores_usable", .int(2))],
            finishedCells: cells.map { FinishedCell(name: $0.0, seconds: $0.1, commit: "") })
    }

    private let cells = [
        Cell(name: "ttft/a/1024/pass 1", cost: 1), Cell(name: "ttft/a/4096/pass 1", cost: 4),
        Cell(name: "ttft/a/4096/pass 2", cost: 4), Cell(name: "speed/x", cost: 7), Cell(name: "speed/y", cost: 7),
    ]

    @Test func nothingIsKnownAtFirst() {
        var estimate = TimeEstimate(earlierRun: nil)
        #expect(estimate.before(cells) == nil && estimate.secondsLeft(cells) == nil)
        estimate.learn(cells[0], seconds: 3)
        // By its cost, which says nothing of the cells of another experiment.
        #expect(estimate.secondsLeft(Array(cells[1...])) == 24)
        #expect(estimate.secondsLeft(Array(cells[3...])) == nil)
        estimate.learn(cells[3], seconds: 5)
        #expect(estimate.secondsLeft([cells[1], cells[4]]) == 17)
    }

    @Test func anEarlierRunIsCorrectedByThisOne() throws {
        var estimate = TimeEstimate(
            earlierRun: run([
                ("ttft/a/1024/pass 1", 2), ("ttft/a/4096/pass 1", 9), ("ttft/a/4096/pass 3", 11), ("speed/x", .nan),
            ]))
        // 2, and twice the mean of 9 and 11; what has no time there is not known.
        let before = try #require(estimate.before(cells))
        #expect(before.seconds == 22 && before.cells == 3 && before.unknownCells == 2 && before.machine == "A CPU, 2 cores")
        #expect(estimate.secondsLeft(cells) == 22)
        // This machine takes half as long again.
        estimate.learn(cells[0], seconds: 3)
        #expect(estimate.secondsLeft(Array(cells[1...2])) == 30)
        #expect(estimate.before([cells[3]]) == nil)
    }
}
