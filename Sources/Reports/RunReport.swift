import Results

/// The report of a run: what was run, what came out, what is not reproduced, and on which machine.
struct RunReport {
    var input: ReportInput
    /// The ledger of claims, one table for each paper.
    var claims: [ReportTable]
    /// Tables with the definition that made them.
    var tables: [(definition: String, tables: [ReportTable])]
    /// Figures with the definition that made them; none where there was nothing to draw.
    var figures: [(definition: String, title: String, figures: [Figure])]
    /// The format in which figures are shown; nil when none was drawn.
    var shownFigureFormat: ReportFormat?
    /// What `tables/` holds of each table.
    var tableFormats: [ReportFormat]

    var title: String { "kvlab report of run \(input.results.run.runID)" }

    /// The text of `report.md`.
    var markdown: String { blocks.map(\.markdown).joined(separator: "\n") }

    /// What the report consists of, in its order.
    var blocks: [ReportBlock] {
        heading + whatWasRun + headline + claimSection + tableSection + figureSection + notReproduced + reading + machine
    }

    private var heading: [ReportBlock] {
        [
            .heading(level: 1, title),
            .paragraph([
                .text("Persistent quantized KV caches, measured again: P1 is \"Agent Memory Below the Prompt\" ("),
                .link("arXiv 2603.04428", to: "https://arxiv.org/abs/2603.04428"), .text("), P2 is \"QKVShare\" ("),
                .link("arXiv 2605.03884", to: "https://arxiv.org/abs/2605.03884"), .text(")."),
            ]),
        ]
    }

    private var whatWasRun: [ReportBlock] {
        let run = input.results.run
        let ttft = input.results.table("ttft")
        func values(_ name: String) -> String {
            let all = orderedSet(input.results.tables.compactMap { $0.strings(name) }.joined().filter { !$0.isEmpty })
            return all.isEmpty ? "not recorded" : all.joined(separator: ", ")
        }
        let threads = orderedSet(ttft?.ints("threads") ?? []).map(String.init).joined(separator: ", ")
        let finished =
            run.finishedAtNanoseconds.map { Timestamp.iso8601($0) } ?? "not finished: the rows so far are shown"
        let facts = [
            ("Profile", run.profile),
            ("Shapes", values("shape")),
            ("Weights", values("weights")),
            ("Schemes", values("scheme")),
            ("Protocols", values("protocol")),
            ("kvlab", "\(run.kvlabVersion), \(input.commit)"),
            ("CPU", input.machineText("cpu_model") ?? "not recorded"),
            ("Cores", input.machineText("cores_usable") ?? "not recorded"),
            ("Threads", threads.isEmpty ? input.machineText("threads") ?? "not recorded" : threads),
            (
                "Instruction set",
                values("isa") == "not recorded" ? input.machineText("isa") ?? "not recorded" : values("isa")
            ),
            ("Started", Timestamp.iso8601(run.startedAtNanoseconds)),
            ("Finished", finished),
            ("Finished cells", "\(input.results.finishedCells.count)"),
            ("Command", run.arguments.joined(separator: " ")),
            ("Configuration", "SHA-256 \(run.configurationHash)"),
            ("Results", input.resultsPath),
        ]
        return [
            .heading(level: 2, "What was run"), .grid(header: ["", ""], rows: facts.map { [$0.0, $0.1] }),
        ]
    }

    private var headline: [ReportBlock] {
        let headline = Headline(tables: tables.flatMap(\.tables))
        let speedUps: [ReportBlock] =
            headline.speedUps.map { table in
                [.heading(level: 2, table.title), .paragraph([.text(table.caption)]), .rows(table)]
            } ?? []
        let verdicts: [ReportBlock] =
            headline.verdicts.map { [.paragraph([.text($0.caption)]), .rows($0)] }
            ?? [.paragraph([.text("Nothing in this run can be compared with a published number.")])]
        return speedUps + [.heading(level: 2, "Verdicts")] + verdicts
    }

    private var claimSection: [ReportBlock] {
        [.heading(level: 2, "Claims")] + claims.map { .table($0, files: tableFormats) }
    }

    private var tableSection: [ReportBlock] {
        [.heading(level: 2, "Tables")] + tables.flatMap(\.tables).map { .table($0, files: tableFormats) }
    }

    private var figureSection: [ReportBlock] {
        let all = figures.flatMap { entry -> [ReportBlock] in
            guard !entry.figures.isEmpty else {
                return [
                    .heading(level: 3, entry.title), .paragraph([.text("Not drawn: this run has no rows for it.")]),
                ]
            }
            return entry.figures.map { .figure($0, shown: shownFigureFormat) }
        }
        return [.heading(level: 2, "Figures")] + all
    }

    private var notReproduced: [ReportBlock] {
        let defined = Set(tables.map(\.definition) + figures.map(\.definition))
        let missing = PaperItem.all.compactMap { item in
            item.absence(defined: defined).map { [item.id, item.title, $0] }
        }
        let empty = tables.filter { entry in entry.tables.allSatisfy { $0.columns.isEmpty } }.map {
            [$0.definition, $0.tables[0].title, "this run has no rows for it"]
        }
        return [
            .heading(level: 2, "Not reproduced here, and why"),
            .grid(header: ["Item", "What", "Why"], rows: missing + empty),
            .paragraph([.text("Rows marked \"not runnable here\" give their reason below their table.")]),
        ]
    }

    private var reading: [ReportBlock] {
        [
            .heading(level: 2, "How to read the times"),
            .list([
                "Seconds of this machine and of the paper's Apple M4 Pro stand side by side but are not compared; ratios "
                    + "within one machine are.",
                "Warm is the identical prompt again after its cache was evicted to disk: one token is recomputed. Hot, as "
                    + "in P1, is a later turn of a conversation: it prefills new tokens on a longer context, so it is not "
                    + "\"warm without the disk\".",
                "Page cache \"dropped\": the pages of the cache file were dropped before the request; \"resident\": they "
                    + "were in memory.",
                "MLPerf's Closed division forbids caching across queries: all warm and hot times are outside it.",
            ]),
        ]
    }

    private var machine: [ReportBlock] {
        let rows = input.results.machine.map { attribute -> [String] in
            let value =
                switch attribute.value {
                case .string(let text): text
                case .int(let n): "\(n)"
                case .double(let x): ReportTable.number(x)
                }
            return [attribute.name, value.isEmpty ? "not recorded" : value]
        }
        return [
            .heading(level: 2, "Machine"),
            rows.isEmpty
                ? .paragraph([.text("The results file has no machine record.")]) : .grid(header: ["Fact", "Value"], rows: rows),
        ]
    }
}
