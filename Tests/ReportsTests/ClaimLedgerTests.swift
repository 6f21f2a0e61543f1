import Foundation
import Reports
import Results
import Testing

@Suite struct ClaimLedgerTests {
    private func ledger() throws -> ClaimLedger { try ClaimLedger(PublishedNumbers(folder: publishedFolder)) }

    private func outcome(_ id: String, _ tables: [ResultTable]) throws -> ClaimOutcome {
        try #require(try ledger().decide(SampleRun.file(tables)).first { $0.claim.id == id })
    }

    @Test func everyRuleHasSamples() throws {
        let ledger = try ledger()
        #expect(ledger.claims.count >= 40)
        let ruled = ledger.claims.filter { if case .rule = $0.decision { true } else { false } }
        #expect(Set(ruled.map(\.id)) == Set(ClaimSample.all.keys))
        #expect(Set(ledger.claims.map(\.paper)) == ["P1", "P2"])
    }

    /// Each rule, decided by its own rows in both directions.
    @Test(arguments: ClaimSample.all.keys.sorted()) func decidesBothWays(id: String) throws {
        let sample = try #require(ClaimSample.all[id])
        let held = try outcome(id, sample.tables(sample.holds))
        #expect(held.verdict == .reproduced, "\(held.text())")
        let failed = try outcome(id, sample.tables(sample.fails))
        #expect(failed.verdict == .differs, "\(failed.text())")
        #expect(!held.cases.isEmpty && held.cases.count == failed.cases.count)
    }

    @Test func withoutRowsNothingIsDecided() throws {
        for outcome in try ledger().decide(SampleRun.file([])) {
            let reason = try #require(outcome.verdict.reason, "\(outcome.claim.id)")
            #expect(!reason.isEmpty && outcome.cases.isEmpty)
        }
        #expect(
            try outcome("P1-llama-16k", []).verdict == .notMeasured(reason: "experiment 'ttft' was not run"))
        let other = try ClaimSample.ttft([("cold", 1024, 1)], "llama3.1-8b")
        #expect(
            try outcome("P1-llama-16k", [other]).verdict.reason
                == "experiment 'ttft' has no such rows in profile laptop: paper_model llama3.1-8b, context 16K, state cold")
    }

    /// One pass that crosses the bound is enough to differ; a claim holds in every case or not at all.
    @Test func intervalsAndCasesCountInFull() throws {
        let rows = [115.0, 120, 100].enumerated().flatMap { pass, x in
            [
                ClaimSample.ttftRow("cold", 16384, x, "llama3.1-8b", pass: pass),
                ClaimSample.ttftRow("warm", 16384, 1, "llama3.1-8b", pass: pass),
            ]
        }
        let one = try outcome("P1-llama-16k", [try inferredTable("ttft", rows)])
        #expect(one.verdict == .differs)
        #expect(one.cases.map(\.estimate.value) == [115] && one.cases.map(\.estimate.low) == [100])
        let mixed = try ClaimSample.ttft(
            [("hot", 1024, 2), ("warm", 1024, 1), ("hot", 2048, 0.5), ("warm", 2048, 1)], "llama3.1-8b")
        let both = try outcome("P1-hot-short", [mixed])
        #expect(both.verdict == .differs)
        #expect(both.cases.map(\.holds) == [true, false])
        #expect(both.cases.map(\.label) == ["llama3.1-8b, 1K", "llama3.1-8b, 2K"])
    }

    /// The numbers of the ledger are those of the published tables.
    @Test func publishedNumbersAreTheTables() throws {
        let ttft = try PublishedNumbers(folder: publishedFolder).table("table03_ttft")
        func ms(_ model: String, _ state: String, _ context: Int) throws -> Double {
            let row = try #require(
                try (0..<ttft.rowCount).first {
                    try ttft.text($0, "model") == model && ttft.text($0, "cache") == state
                        && ttft.integer($0, "context") == context
                })
            return try ttft.number(row, "ttft_ms")
        }
        for (id, model, state, context) in [
            ("P1-gemma-32k", "gemma3-12b", "hot", 32768), ("P1-gemma-32k-warm", "gemma3-12b", "warm", 32768),
            ("P1-llama-16k", "llama3.1-8b", "warm", 16384), ("P1-deepseek-32k", "deepseek-v2-lite", "hot", 32768),
            ("P1-gemma-4k", "gemma3-12b", "hot", 4096), ("P1-deepseek-4k", "deepseek-v2-lite", "hot", 4096),
            ("P1-llama-4k", "llama3.1-8b", "hot", 4096),
        ] {
            let claim = try #require(try ledger().claims.first { $0.id == id })
            guard case .rule(let rule) = claim.decision, case .atLeast(let bound) = rule.bound else {
                Issue.record("\(id) has no least number")
                continue
            }
            let ratio = try ms(model, "cold", context) / ms(model, state, context)
            #expect(abs(bound - ratio) < 0.06, "\(id): \(bound) and \(ratio)")
        }
    }

    /// So are those of P2.
    @Test func publishedHandoffsAreTheTable() throws {
        let table = try PublishedNumbers(folder: publishedFolder).table("qkvshare_ttft")
        for (row, id) in ["P2-1k", "P2-8k"].enumerated() {
            let claim = try #require(try ledger().claims.first { $0.id == id })
            guard case .rule(let rule) = claim.decision, case .atLeast(let bound) = rule.bound else {
                Issue.record("\(id) has no least number")
                continue
            }
            let ratio = try table.number(row, "full_reprefill_ms") / table.number(row, "qkvshare_ms")
            #expect(abs(bound - ratio) < 0.001, "\(id): \(bound) and \(ratio)")
        }
    }

    /// The file of the reference machine fits every rule.
    @Test func fitsARealRun() throws {
        let file = try ResultsFile.read(from: publishedFolder + "/../../results/reference/results.h5")
        let outcomes = try ledger().decide(file)
        #expect(outcomes.contains { $0.verdict == .reproduced } && outcomes.contains { $0.verdict == .differs })
        let json = try JSONSerialization.jsonObject(with: Data(try ClaimOutcome.json(outcomes).utf8)) as? [[String: Any]]
        #expect(json?.count == outcomes.count)
    }

    @Test func rulesThatStoodBeforeTheRun() throws {
        let ledger = try ledger()
        var file = SampleRun.file([])
        #expect(ledger.age(of: file) == "The run did not record which rules stood when it began.")
        file.machine.append(Attribute(ClaimLedger.attributeName, .string(ledger.digest)))
        #expect(ledger.age(of: file) == "The rules stood as they are before the run.")
        file.machine[file.machine.count - 1] = Attribute(ClaimLedger.attributeName, .string("00"))
        #expect(ledger.age(of: file) == "The rules were changed after the run began.")
    }

    private static let head = """
        claims:
          - id: one
            paper: P1
            where: Table 3
            claim: It is fast.
            published: 2 ×
        """

    private static func rule(_ lines: String...) -> String {
        head + "\n    rule:\n" + lines.map { "      \($0)\n" }.joined()
    }

    private static let good = ["experiment: ttft", "table: ttft", "value: median(ttft_seconds)", "at_least: 2"]

    /// Each mistake, and the sentence that names it and its line.
    static let mistakes: [(text: String, line: Int, problem: String)] = [
        ("claims: [", 2, "it is not YAML, did not find expected node content"),
        ("claims: []", 1, "'claims' must be a list of claims"),
        ("claim:\n  - id: x\n", 1, "the ledger has no 'claims'"),
        (head, 2, "claim 'one' must have exactly one of 'rule', 'not_runnable' and 'awaits'"),
        (head + "\n    awaits: x\n    not_runnable: y\n", 2, "claim 'one' must have exactly one of 'rule', 'not_runnable' and 'awaits'"),
        (
            head + "\n    await: x\n", 7,
            "a claim has no key 'await'; known so far are id, paper, where, claim, published, remark, rule, not_runnable, awaits"
        ),
        (head.replacingOccurrences(of: "P1", with: "P3") + "\n    awaits: x\n", 2, "claim 'one' is of paper 'P3', not P1 or P2"),
        (
            head + "\n    awaits: x\n  - {id: one, paper: P1, where: x, claim: y, published: z, awaits: a}\n", 8,
            "claim 'one' stands there twice"
        ),
        (rule("experiment: ttft", "table: ttft", "at_least: 2"), 8, "a rule has no 'value'"),
        (
            rule(good[0], good[1], good[2], "at_leats: 2"), 8,
            "a rule needs exactly one of at_least, at_most, more_than, less_than, equals, between, and has 0"
        ),
        (rule(good[0], "tabel: ttft"), 9, "a rule has no key 'tabel'; known so far are experiment, table"),
        (rule(good[0], good[1], good[2], "at_least: many"), 11, "'at_least' must be a number"),
        (rule(good[0], good[1], good[2], "between: [2, 1]"), 11, "'between' must name the smaller number first"),
        (rule(good[0], good[1], good[2], good[3], "unit: feet"), 12, "'feet' is no unit of a rule; units are ×, %, MiB, agents"),
        (
            rule(good[0], good[1], "value: middle(ttft_seconds)", good[3]), 10,
            "the value 'middle(ttft_seconds)' has 'middle' where one of median, mean, sum, min, max must stand"
        ),
        (
            rule(good[0], good[1], "value: median(ttft_seconds", good[3]), 10,
            "the value 'median(ttft_seconds' has nothing where ')' must follow a column"
        ),
    ]

    @Test(arguments: mistakes.indices) func mistakesAreNamed(index: Int) throws {
        let (text, line, problem) = Self.mistakes[index]
        let error = #expect(throws: ReportsError.self) { try ClaimLedger(text: text, file: "claims.yaml") }
        #expect(error == .badClaim(file: "claims.yaml", line: line, problem: problem))
        #expect("\(try #require(error))" == "The claims in 'claims.yaml' are wrong at line \(line): \(problem).")
    }

    @Test func unknownTablesAndColumnsAreNamed() throws {
        let file = SampleRun.file([try inferredTable("ttft", [["pass": .int(1), "state": .string("cold")]])])
        func problem(_ lines: String...) throws -> ReportsError? {
            let text = Self.head + "\n    rule:\n" + lines.map { "      \($0)\n" }.joined()
            let ledger = try ClaimLedger(text: text, file: "claims.yaml")
            return #expect(throws: ReportsError.self) { try ledger.decide(file) }
        }
        let table = try problem("experiment: x", "table: tfft", "value: max(pass)", "at_least: 1")
        guard case .badClaim(_, 9, let text)? = table else {
            Issue.record("\(String(describing: table))")
            return
        }
        #expect(text.hasPrefix("there is no results table 'tfft'; there are ablation, batched, "))
        #expect(
            try problem("experiment: x", "table: ttft", "value: max(seconds)", "at_least: 1")
                == .badClaim(file: "claims.yaml", line: 10, problem: "table 'ttft' has no column 'seconds'; it has pass, state"))
        #expect(
            try problem("experiment: x", "table: ttft", "value: max(pass)", "rows: {stat: cold}", "at_least: 1")
                == .badClaim(file: "claims.yaml", line: 11, problem: "table 'ttft' has no column 'stat'; it has pass, state"))
        #expect(
            try problem("experiment: x", "table: ttft", "value: max(pass)", "rows: {pass: cold}", "at_least: 1")
                == .badClaim(file: "claims.yaml", line: 11, problem: "column 'pass' of table 'ttft' holds numbers, not texts"))
        #expect(
            try problem("experiment: x", "table: ttft", "value: max(state)", "at_least: 1")
                == .badClaim(file: "claims.yaml", line: 10, problem: "column 'state' of table 'ttft' holds texts, not numbers"))
    }
}
