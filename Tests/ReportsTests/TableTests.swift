import Reports
import Results
import Testing

/// A table of `results`, by the id of its definition.
private func tables(_ id: String, _ results: ResultsFile, published: String = publishedFolder) throws -> [ReportTable] {
    let definition = try #require(tableDefinitions.first { $0.id == id })
    let input = ReportInput(
        results: results, published: PublishedNumbers(folder: published), resultsPath: "results/x/results.h5")
    return try definition.tables(input)
}

extension ReportTable {
    /// The cell of `column` in the only row whose first columns read `head`.
    fileprivate func cell(_ head: [String], _ column: String) throws -> Cell {
        let index = try #require(columns.firstIndex { $0.key == column })
        let matches = rows.filter { row in zip(row, head).allSatisfy { $0 == .text($1) } }
        #expect(matches.count == 1, "\(matches.count) rows read \(head)")
        return try #require(matches.first)[index]
    }

    fileprivate func number(_ head: [String], _ column: String) throws -> Double {
        try #require(try cell(head, column).number, "\(head) has no number in \(column)")
    }
}

private func ttftFile(_ rows: [Row]) throws -> ResultsFile {
    SampleRun.file([try SampleRun.table(SampleRun.ttftSchema, rows)])
}

private func capacityFile(_ rows: [Row]) throws -> ResultsFile {
    SampleRun.file([try SampleRun.table(SampleRun.capacitySchema, rows)])
}

struct Table03Tests {
    /// Six passes at 1K (paper: cold 2.5 s, warm 0.26 s, hot 0.412 s) whose speed drifts from pass to pass.
    private func rows(warm: Double, scheme: String = "affine-q4-g64") -> [Row] {
        (0..<6).flatMap { pass in
            let drift = 1 + Double(pass) * 0.1
            return [
                SampleRun.ttftRow(scheme: scheme, state: "cold", pass: pass, context: 1024, seconds: 10 * drift),
                SampleRun.ttftRow(
                    scheme: scheme, state: "warm", pass: pass, context: 1024, hit: 1023, seconds: warm * drift),
                SampleRun.ttftRow(
                    scheme: scheme, state: "hot", pass: pass, context: 1176, hit: 1152, seconds: 2 * drift),
            ]
        }
    }

    @Test func speedUpIsTakenWithinThePass() throws {
        let table = try #require(try tables("T3", try ttftFile(rows(warm: 1))).first)
        #expect(table.id == "T3-llama3.1-8b")
        guard case .estimate(let speedUp) = try table.cell(["1K", "warm exact, dropped"], "speedup_here") else {
            Issue.record("no estimate")
            return
        }
        // The drift cancels, so the interval has no width.
        #expect(abs(speedUp.value - 10) < 1e-12 && abs(speedUp.low - 10) < 1e-12 && abs(speedUp.high - 10) < 1e-12)
        #expect(speedUp.sampleCount == 6)
        #expect(abs(try table.number(["1K", "warm exact, dropped"], "ttft_here_s") - 1.25) < 1e-12)
        #expect(abs(try table.number(["1K", "warm exact, dropped"], "speedup_paper") - 2.5 / 0.26) < 1e-12)
        #expect(abs(try table.number(["1K", "warm exact, dropped"], "speedup_ratio") - 10 / (2.5 / 0.26)) < 1e-12)
        #expect(abs(try table.number(["1K", "warm exact, dropped"], "ttft_per_decode_step") - 6.25) < 1e-12)
        #expect(abs(try table.number(["1K", "hot extend"], "speedup_here") - 5) < 1e-12)
    }

    /// A context of random rows is said to be one.
    @Test func randomContextsAreNamed() throws {
        var random = rows(warm: 1)
        for index in random.indices { random[index]["context_rows"] = .string("random") }
        let sentence = "The rows of the context are random"
        #expect(try tables("T3", try ttftFile(random))[0].caption.contains(sentence))
        #expect(try !tables("T3", try ttftFile(rows(warm: 1)))[0].caption.contains(sentence))
    }

    /// 1.3 decode steps of 0.2 s, and where pages were dropped 1.2 times as long as the disk takes for the file.
    @Test func warmRequestsAreHeldAgainstTheirBound() throws {
        let disk = 1.2 * Double(1024 * 36_864 + 4096) / 1.62e9
        var resident = rows(warm: 1)
        for index in resident.indices where resident[index]["state"] == .string("warm") {
            resident[index]["page_cache"] = .string("resident")
        }
        let dropped = try tables("T3", try ttftFile(rows(warm: 1)))[0]
        #expect(abs(try dropped.number(["1K", "warm exact, dropped"], "ttft_per_bound") - 1.25 / (0.26 + disk)) < 1e-12)
        #expect(
            try dropped.cell(["1K", "hot extend"], "ttft_per_bound")
                == .missing("the bound is of warm requests for the same prompt"))
        let held = try tables("T3", try ttftFile(resident))[0]
        #expect(abs(try held.number(["1K", "warm exact, resident"], "ttft_per_bound") - 1.25 / 0.26) < 1e-12)
        // A rate that is of the page cache says nothing of the disk.
        var file = try ttftFile(rows(warm: 1))
        file.machine = [Attribute("disk_read_bytes_per_second", .double(1e9)), Attribute("disk_read_cache", .string("resident"))]
        #expect(
            try tables("T3", file)[0].cell(["1K", "warm exact, dropped"], "ttft_per_bound")
                == .missing("the disk's read rate was not measured"))
    }

    @Test func anIntervalAcrossTheBoundDiffers() throws {
        // Five passes well above half of the paper's 9.6, one below.
        let rows = (0..<6).flatMap { pass in
            [
                SampleRun.ttftRow(state: "cold", pass: pass, context: 1024, seconds: 10),
                SampleRun.ttftRow(
                    state: "warm", pass: pass, context: 1024, hit: 1023, seconds: pass == 3 ? 2.5 : 1),
            ]
        }
        let table = try tables("T3", try ttftFile(rows))[0]
        let head = ["1K", "warm exact, dropped"]
        #expect(try table.number(head, "speedup_here") == 10)
        #expect(try table.cell(head, "speedup_here").estimate?.low == 4)
        #expect(abs(try #require(table.cell(head, "speedup_here").estimate?.coverage) - 0.96875) < 1e-12)
        #expect(try table.cell(head, "verdict") == .verdict(.differs))
    }

    @Test func verdictGoesBothWays() throws {
        let head = ["1K", "warm exact, dropped"]
        // The paper's speed-up is 9.6, so half of it is 4.8.
        #expect(try tables("T3", try ttftFile(rows(warm: 1)))[0].cell(head, "verdict") == .verdict(.reproduced))
        #expect(try tables("T3", try ttftFile(rows(warm: 2)))[0].cell(head, "verdict") == .verdict(.reproduced))
        #expect(try tables("T3", try ttftFile(rows(warm: 2.2)))[0].cell(head, "verdict") == .verdict(.differs))
    }

    @Test func contextsThatWereNotRunStillAppear() throws {
        let table = try tables("T3", try ttftFile(rows(warm: 1)))[0]
        let reason = "not in this run (profile laptop)"
        #expect(try table.cell(["16K", "warm"], "verdict") == .verdict(.notRunnable(reason: reason)))
        #expect(try table.cell(["16K", "warm"], "ttft_here_s") == .missing(reason))
        #expect(try table.number(["16K", "warm"], "ttft_paper_s") == 0.431)
        // The paper has no 32K row of Llama.
        #expect(!table.rows.contains { $0[0] == .text("32K") })
        #expect(
            table.notes == [
                "Probability that an interval covers the true median: n = 6: 96.9 %.",
                "Tokens after a restored cache equal those of a cache that was never saved in 12 of 12 warm and hot "
                    + "requests.",
                "Published, but not in this run: Gemma 3 12B, DeepSeek-Coder-V2-Lite.",
            ])
    }

    @Test func aContextCutByCharactersStandsForItsNominalOne() throws {
        for (tokens, nominal) in [(927, "1K"), (3661, "4K"), (14_200, "16K")] {
            let table = try tables(
                "T3", try ttftFile([SampleRun.ttftRow(state: "cold", pass: 0, context: tokens, seconds: 1)]))[0]
            #expect(try table.cell([nominal, "cold"], "ttft_paper_s").number != nil)
            #expect(try table.number([nominal, "cold"], "context_tokens") == Double(tokens))
        }
        let odd = try tables(
            "T3", try ttftFile([SampleRun.ttftRow(state: "cold", pass: 0, context: 1500, seconds: 1)]))[0]
        #expect(try odd.cell(["1500", "cold"], "ttft_paper_s") == .missing("the paper has no such context"))
    }

    @Test func anExtendedRequestBelongsToTheContextItExtends() throws {
        let rows = [256, 512].flatMap { context in
            [
                SampleRun.ttftRow(state: "cold", pass: 0, context: context, seconds: 4),
                SampleRun.ttftRow(state: "hot", pass: 0, context: context + 168, seconds: 1),
            ]
        }
        let table = try tables("T3", try ttftFile(rows))[0]
        #expect(try table.number(["256", "hot extend"], "context_tokens") == 424)
        #expect(try table.number(["512", "hot extend"], "context_tokens") == 680)
    }

    @Test func anotherSchemeIsNotComparedWithThePapersQ4() throws {
        let table = try tables("T3", try ttftFile(rows(warm: 1, scheme: "fp16")))[0]
        let reason = "the published numbers are of a Q4 cache, these of fp16"
        #expect(try table.cell(["1K", "warm exact, dropped"], "verdict") == .missing(reason))
        #expect(table.rows.count == 3)
    }

    @Test func statesWithoutACounterpartSayso() throws {
        let rows = [
            SampleRun.ttftRow(state: "cold", pass: 0, context: 1024, seconds: 4),
            SampleRun.ttftRow(state: "hot", variant: "exact", pass: 0, context: 1024, hit: 1023, seconds: 1),
            SampleRun.ttftRow(state: "warm", pageCache: "resident", pass: 1, context: 1024, hit: 1023, seconds: 1),
        ]
        let table = try tables("T3", try ttftFile(rows))[0]
        #expect(try table.cell(["1K", "hot exact"], "verdict") == .missing("the paper has no such state"))
        #expect(try table.number(["1K", "hot exact"], "speedup_here") == 4)
        let reason = "no pass has both this state and cold"
        #expect(
            try table.cell(["1K", "warm exact, resident"], "verdict") == .verdict(.notRunnable(reason: reason)))
    }

    @Test func blocksHaveNamesOfTheirOwnAndFailuresAreCounted() throws {
        let rows = [
            SampleRun.ttftRow(protocolName: "paper", state: "cold", pass: 0, context: 1024, seconds: 4),
            SampleRun.ttftRow(protocolName: "corrected", state: "cold", pass: 0, context: 1024, seconds: 4),
            SampleRun.ttftRow(
                protocolName: "corrected", scheme: "fp16", state: "cold", pass: 0, context: 1024, seconds: 4),
            SampleRun.ttftRow(
                protocolName: "corrected", scheme: "fp16", state: "cold", pass: 1, context: 1024, seconds: .nan),
        ]
        let all = try tables("T3", try ttftFile(rows))
        #expect(
            all.map(\.id) == [
                "T3-llama3.1-8b-paper-affine-q4-g64", "T3-llama3.1-8b-corrected-affine-q4-g64",
                "T3-llama3.1-8b-corrected-fp16",
            ])
        #expect(Set(all.map(\.title)).count == 3)
        #expect(
            all[2].notes.prefix(2) == [
                "Probability that an interval covers the true median: one pass has none.",
                "1 request without a first token is not counted above.",
            ])
        #expect(!all[2].plainText.contains("4.00 ["))
        #expect(try all[2].number(["1K", "cold"], "n") == 1)
    }

    @Test func aMissingColumnIsNamed() throws {
        var schema = SampleRun.ttftSchema
        schema.columns.removeAll { $0.name == "hit_tokens" }
        var row = SampleRun.ttftRow(state: "cold", pass: 0, context: 1024, seconds: 1)
        row["hit_tokens"] = nil
        let file = SampleRun.file([try SampleRun.table(schema, [row])])
        let error = ReportsError.missingColumn(table: "ttft", column: "hit_tokens", kind: "int")
        #expect(throws: error) { try tables("T3", file) }
        #expect(
            "\(error)"
                == "Results table 'ttft' has no int column 'hit_tokens': it was written by another version of kvlab; "
                + "redraw with that version or measure again.")
    }

    @Test func flatnessGoesBothWays() throws {
        func verdict(_ long: Double) throws -> ReportTable.Cell {
            let rows = (0..<6).flatMap { pass in
                [(1024, 1.0), (8192, long)].map {
                    SampleRun.ttftRow(state: "warm", pass: pass, context: $0, hit: $0 - 1, seconds: $1)
                }
            }
            let table = try tables("T3-flatness", try ttftFile(rows))[0]
            #expect(try table.cell(["llama3.1-8b", "warm exact, dropped"], "contexts") == .text("1K → 8K"))
            return try table.cell(["llama3.1-8b", "warm exact, dropped"], "verdict")
        }
        // The paper's warm TTFT grows from 0.260 to 0.331 s, that is 1.27 times; twice that is 2.55.
        #expect(try verdict(2.5) == .verdict(.reproduced))
        #expect(try verdict(2.6) == .verdict(.differs))
    }
}

struct Table13Tests {
    @Test func spreadGoesBothWays() throws {
        func verdict(_ spread: Double) throws -> ReportTable.Cell {
            let rows = [0, 1, 2].map { pass in
                SampleRun.ttftRow(state: "cold", pass: pass, context: 4096, seconds: 10 + Double(pass - 1) * spread * 5)
            }
            let table = try tables("T13", try ttftFile(rows))[0]
            #expect(abs(try table.number(["4K", "cold"], "spread_here") - spread) < 1e-12)
            return try table.cell(["4K", "cold"], "verdict")
        }
        // The paper's spread is 3.7 %, so the floor of 10 % decides.
        #expect(try verdict(0.09) == .verdict(.reproduced))
        #expect(try verdict(0.11) == .verdict(.differs))
    }

    @Test func onePassHasNoSpread() throws {
        let file = try ttftFile([SampleRun.ttftRow(state: "cold", pass: 0, context: 4096, seconds: 10)])
        #expect(
            try tables("T13", file)[0].cell(["4K", "cold"], "verdict")
                == .verdict(.notRunnable(reason: "one pass has no spread")))
    }
}

struct CapacityTableTests {
    private func gemma(_ budget: (label: String, bytes: Int), measured: Int? = nil, context: Int = 4096) -> [Row] {
        let fp16 = 393_216 * context
        return [("fp16", fp16, nil), ("affine-q4-g64", fp16 * 9 / 32, measured)].map { scheme, bytes, measured in
            SampleRun.capacityRow(
                shape: "gemma3-12b", paperModel: "gemma3-12b", scheme: scheme, context: context, budget: budget,
                bytesPerAgent: bytes, measured: measured)
        }
    }

    @Test func agentsMustEqualThePapers() throws {
        let table = try tables("T2", try capacityFile(gemma(SampleRun.gemmaBudget) + gemma(SampleRun.otherBudget)))[0]
        #expect(try table.cell(["Gemma 3 12B", "4K", "10.2 GiB"], "verdict") == .verdict(.reproduced))
        #expect(try table.number(["Gemma 3 12B", "4K", "10.2 GiB"], "q4_agents_computed") == 24)
        #expect(try table.cell(["Gemma 3 12B", "4K", "10200 MiB"], "verdict") == .verdict(.differs))
        #expect(try table.number(["Gemma 3 12B", "4K", "10200 MiB"], "q4_agents_computed") == 23)
        #expect(
            table.notes == [
                "Gemma 3 12B at 10.2 GiB: 1 of 1 rows reproduced.", "Gemma 3 12B at 10200 MiB: 0 of 1 rows reproduced.",
            ])
        // Published rows that were not run are there too.
        let reason = "not in this run (profile laptop)"
        #expect(try table.cell(["Gemma 3 12B", "8K"], "verdict") == .verdict(.notRunnable(reason: reason)))
        #expect(table.rows.count == 13)
    }

    @Test func measuredAgentsMustEqualComputed() throws {
        let head = ["Gemma 3 12B", "4K", "10.2 GiB"]
        let as24 = try tables("T2", try capacityFile(gemma(SampleRun.gemmaBudget, measured: 24)))[0]
        #expect(try as24.cell(head, "verdict") == .verdict(.reproduced))
        #expect(try as24.cell(head, "fp16_agents_measured") == .missing("not measured in this profile"))
        let as23 = try tables("T2", try capacityFile(gemma(SampleRun.gemmaBudget, measured: 23)))[0]
        #expect(try as23.cell(head, "verdict") == .verdict(.differs))
    }

    @Test func scaledShapesAreNotComparedWithFullSizeAgents() throws {
        let row = SampleRun.capacityRow(
            shape: "gemma-quick", paperModel: "gemma3-12b", scheme: "fp16", context: 4096,
            budget: SampleRun.gemmaBudget,
            bytesPerAgent: 1000)
        let file = try capacityFile([row])
        #expect(try tables("T2", file)[0].rows.allSatisfy { $0.last != .verdict(.differs) })
        #expect(try tables("appendix-D", file)[0].rows.allSatisfy { $0.last != .verdict(.differs) })
        #expect(try tables("T14", file)[0].cell(["gemma-quick"], "gain") == .missing("this run has only fp16 here"))
    }

    @Test func bytesPerAgentAreWithinOnePercent() throws {
        func verdict(_ q4: Int) throws -> ReportTable.Cell {
            let rows = [("fp16", 1536 << 20), ("affine-q4-g64", q4)].map { scheme, bytes in
                SampleRun.capacityRow(
                    shape: "gemma3-12b", paperModel: "gemma3-12b", scheme: scheme, context: 4096,
                    budget: SampleRun.gemmaBudget, bytesPerAgent: bytes, measured: 1)
            }
            return try tables("appendix-D", try capacityFile(rows))[0].cell(["Gemma 3 12B"], "verdict")
        }
        #expect(try verdict(432 << 20) == .verdict(.reproduced))
        #expect(try verdict(440 << 20) == .verdict(.differs))
    }

    @Test func eachQuantizedSchemeIsPairedWithFP16() throws {
        let more = SampleRun.capacityRow(
            shape: "gemma3-12b", paperModel: "gemma3-12b", scheme: "q8_0", context: 8192, budget: SampleRun.gemmaBudget,
            bytesPerAgent: 1 << 30)
        let file = try capacityFile(
            gemma(SampleRun.gemmaBudget) + gemma(SampleRun.gemmaBudget, context: 8192) + [more])
        let table = try tables("T14", file)[0]
        #expect(table.rows.map { $0[8] } == [.text("affine-q4-g64"), .text("affine-q4-g64"), .text("q8_0")])
        #expect(try tables("T2", file)[0].rows.count == 12)
    }

    /// However caches are kept, the paper's agents at the same context and budget stand beside ours.
    @Test func keptWindowsStandBesideThePapersAgents() throws {
        let rows = [("fp16", 4 << 30), ("affine-q4-g64", 1 << 30)].map { scheme, bytes in
            SampleRun.capacityRow(
                shape: "gemma3-12b", paperModel: "gemma3-12b", scheme: scheme, context: 32768, windowPolicy: "window",
                budget: SampleRun.gemmaBudget, bytesPerAgent: bytes, measured: 9)
        }
        let table = try tables("T14", try capacityFile(rows))[0]
        let head = ["gemma3-12b", "10.2 GiB", "window"]
        #expect(try table.number(head, "quantized_agents_paper") == 3)
        #expect(try table.number(head, "quantized_agents_ratio") == 3)
        #expect(abs(try table.number(head, "overhead") - 65_536 / Double(9 << 30)) < 1e-12)
        let other = try tables(
            "T14", try capacityFile(gemma((label: "4 GiB", bytes: 4 << 30))))[0].cell(["gemma3-12b"], "quantized_agents_ratio")
        #expect(other == .missing("the paper has no such model, context, budget or scheme"))
    }

    @Test func aRowThatOccursTwiceIsRefused() throws {
        let file = try capacityFile(gemma(SampleRun.gemmaBudget) + gemma(SampleRun.gemmaBudget))
        #expect(
            throws: ReportsError.inconsistent(
                table: "capacity", problem: "gemma3-12b, fp16, 4096 tokens, 10.2 GiB occurs twice")
        ) { try tables("T14", file) }
    }
}

struct Table01Tests {
    @Test func thisMachineIsTheLastRow() throws {
        let table = try tables("T1", SampleRun.file([]))[0]
        #expect(table.rows.count == 7)
        #expect(try table.number(["AMD EPYC 7B13", "measured here"], "memory_bytes_per_second") == 21.4e9)
        #expect(try table.number(["M4 Pro (MacBook Pro)", "published"], "memory_bytes") == 24 * 0x1p30)
    }

    @Test func whatTheMachineRecordLacksIsSaid() throws {
        var file = SampleRun.file([])
        file.machine = []
        #expect(
            try tables("T1", file)[0].cell(["this machine"], "disk_bytes_per_second")
                == .missing("the machine record has no disk_read_bytes_per_second"))
    }
}

struct RegistryTests {
    @Test func tablesWithoutRowsSayso() throws {
        for definition in tableDefinitions where !definition.needs.isEmpty {
            let table = try tables(definition.id, SampleRun.file([]))[0]
            #expect(table.columns.isEmpty)
            let names = definition.needs.map { "'\($0)'" }.joined(separator: " and ")
            #expect(table.caption == "Not in this run: results/x/results.h5 has no rows in \(names).")
        }
    }

    @Test func idsAreUniqueAndFitForFiles() throws {
        let all = try tableDefinitions.flatMap { try tables($0.id, try SampleRun.full()) }
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(
            all.allSatisfy { $0.id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) } })
        #expect(
            Set(tableDefinitions.map(\.id) + figureDefinitions.map(\.id)).count == tableDefinitions.count
                + figureDefinitions.count)
    }
}
