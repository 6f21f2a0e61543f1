import Reports
import Results
import Testing

/// Figures drawn from measured events: F3, F5, F6.
@Suite struct TimelineFigureTests {
    private func figure(_ id: String, _ results: ResultsFile) throws -> Figure {
        let definition = try #require(figureDefinitions.first { $0.id == id })
        let input = ReportInput(
            results: results, published: PublishedNumbers(folder: publishedFolder), resultsPath: "results/x/results.h5")
        return try #require(try definition.build(input).first)
    }

    /// The lines of a figure's data, as dictionaries.
    private func lines(_ figure: Figure) -> [[String: String]] {
        let lines = figure.data.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    /// The pass with the median wall time, a panel for each way to serve; the script draws.
    @Test func staggered() async throws {
        let rows = [(1, 30.0), (2, 10.0), (3, 20.0)].flatMap { pass, wall in
            [("sequential", 0), ("batched", 1)].flatMap { mode, order in
                ["A", "B"].map { agent in
                    AgentRows.turn(
                        mode: mode, pass: pass, order: pass * 10 + order, agent: agent, ttft: wall / 4, total: wall / 2,
                        wall: wall, start: agent == "A" ? 0 : 2, queued: agent == "A" ? 0 : 1)
                }
            }
        }
        let figure = try figure("F3-timeline", try AgentRows.results("staggered", rows))
        #expect(figure.id == "F3-timeline-tiny")
        let lines = lines(figure)
        #expect(lines.count == 2 * 2 * 3)
        let b = lines.filter { $0["panel"] == "1" && $0["agent"] == "B" }
        #expect(b.map { $0["kind"] } == ["waits", "prefill, to the first token", "decode"])
        #expect(b.map { $0["from_seconds"] } == ["2", "3", "7"] && b.map { $0["to_seconds"] } == ["3", "7", "12"])
        #expect(figure.script.contains("set label \"TTFT 5.00 s\""))
    }

    /// What a turn found, computed and generated lies on top of each other; between turns the cache is held.
    @Test func phases() throws {
        let rows = [("persistent", 500), ("cold", 0)].flatMap { mode, hit in
            [
                AgentRows.turn(
                    mode: mode, state: "1 interrogation A", order: 1, ttft: 2, total: 3, start: 10),
                AgentRows.turn(
                    mode: mode, state: "5 verdict", order: 2, ttft: 1, total: 2, hit: hit, start: 15),
            ]
        }
        let figure = try figure("F5", try AgentRows.results("phases", rows))
        let cold = lines(figure).filter { $0["panel"] == "0" }
        #expect(cold.map { $0["kind"] } == ["computed", "generated", "computed", "generated"])
        let kept = lines(figure).filter { $0["panel"] == "1" }
        #expect(
            kept.map { $0["kind"] }
                == ["held in memory", "computed", "generated", "held in memory", "found in the cache", "computed", "generated"])
        #expect(kept[0]["from_seconds"] == "3" && kept[0]["to_seconds"] == "5" && kept[0]["high_tokens"] == "1010")
        #expect(kept[4]["high_tokens"] == "500" && kept[5]["low_tokens"] == "500" && kept[5]["high_tokens"] == "1000")
        #expect(kept[6]["from_seconds"] == "6" && kept[6]["to_seconds"] == "7")
        #expect(figure.script.contains("set label \"5\" at 5,first -0.22"))
    }

    /// Each phase has a clock of its own; a question begins after each report, in the last phase with each turn.
    @Test func routing() throws {
        func turn(_ role: String, _ state: String, _ order: Int, _ agent: String, hit: Int = 900, load: Double = 0) -> Row {
            AgentRows.turn(
                mode: role, state: state, order: order, agent: agent, ttft: 1, total: 2, exposed: load, hit: hit,
                start: Double(order))
        }
        let rows = [
            turn("expert", "1 priming (cold)", 0, "one", hit: 0), turn("expert", "1 priming (cold)", 2, "two", hit: 0),
            turn("expert", "2 queries (warm)", 10, "one", load: 0.25), turn("expert", "2 queries (warm)", 12, "two"),
            turn("reporter", "2 queries (warm)", 14, "reporter", hit: 0), turn("expert", "2 queries (warm)", 16, "one"),
            turn("expert", "3 repeated (hot)", 20, "one"), turn("expert", "3 repeated (hot)", 22, "two"),
        ]
        let figure = try figure("F6", try AgentRows.results("routing", rows))
        let asked = lines(figure).filter { $0["panel"] == "1" }
        #expect(asked[0]["kind"] == "cache loaded from disk" && asked[0]["from_seconds"] == "0" && asked[0]["to_seconds"] == "0.25")
        #expect(asked.filter { $0["kind"] == "decode" }.map { $0["lane"] } == ["0", "1", "2", "0"])
        #expect(figure.script.contains("set xtics 2 scale 0.5"))
        let marks = figure.script.split(separator: "\n").filter { $0.contains("first -0.22") }
        #expect(marks.map { $0.contains("at 0,") || $0.contains("at 6,") || $0.contains("at 2,") } == [true, true, true, true])
    }

    /// A file without the times of events has tables and no such figure.
    @Test func filesWithoutTimes() throws {
        let rows = [AgentRows.turn(mode: "batched", order: 1, agent: "A", start: .nan)]
        let input = ReportInput(
            results: try AgentRows.results("staggered", rows), published: PublishedNumbers(folder: publishedFolder),
            resultsPath: "results/x/results.h5")
        #expect(try figureDefinitions.first { $0.id == "F3-timeline" }?.build(input).isEmpty == true)
    }
}
