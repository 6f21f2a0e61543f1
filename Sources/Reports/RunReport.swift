import Results

/// The text of `report.md`: what was run, what came out, what is not reproduced, and on which machine.
struct RunReport {
    var input: ReportInput
    /// Tables with the definition that made them.
    var tables: [(definition: String, tables: [ReportTable])]
    /// Figures with the definition that made them; none where there was nothing to draw.
    var figures: [(definition: String, title: String, figures: [Figure])]
    /// The format in which figures are shown; nil when none was drawn.
    var shownFigureFormat: ReportFormat?
    /// What `tables/` holds of each table.
    var tableFormats: [ReportFormat]

    var markdown: String {
        [heading, whatWasRun, headline, tableSection, figureSection, notReproduced, reading, machine]
            .joined(separator: "\n")
    }

    private var heading: String {
        """
        # kvlab report of run \(text(input.results.run.runID))

        Persistent quantized KV caches, measured again: P1 is "Agent Memory Below the Prompt" \
        ([arXiv 2603.04428](https://arxiv.org/abs/2603.04428)), P2 is "QKVShare" \
        ([arXiv 2605.03884](https://arxiv.org/abs/2605.03884)).

        """
    }

    private var whatWasRun: String {
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
        return "## What was run\n\n" + grid(["", ""], facts.map { [$0.0, $0.1] })
    }

    private var headline: String {
        let headline = Headline(tables: tables.flatMap(\.tables))
        let speedUps = headline.speedUps.map { "## \($0.title)\n\n\($0.caption)\n\n\($0.markdownGrid)\n\n" } ?? ""
        let verdicts =
            headline.verdicts.map { "\($0.caption)\n\n\($0.markdownGrid)\n" }
            ?? "Nothing in this run can be compared with a published number.\n"
        return speedUps + "## Verdicts\n\n" + verdicts
    }

    private var tableSection: String {
        let all = tables.flatMap(\.tables).map { table in
            let links = table.columns.isEmpty ? [] : tableFormats.filter { $0 != .md }
            let line = links.map { "[\($0.rawValue)](tables/\(table.id).\($0.rawValue))" }.joined(separator: " · ")
            return table.markdown + (line.isEmpty ? "" : "\n\(line)\n")
        }
        return "## Tables\n\n" + all.joined(separator: "\n")
    }

    private var figureSection: String {
        let all = figures.map { entry -> String in
            guard !entry.figures.isEmpty else {
                return "### \(text(entry.title))\n\nNot drawn: this run has no rows for it.\n"
            }
            return entry.figures.map(section).joined(separator: "\n")
        }
        return "## Figures\n\n" + all.joined(separator: "\n")
    }

    private func section(_ figure: Figure) -> String {
        let path = "figures/\(figure.id)"
        let picture =
            switch shownFigureFormat {
            case nil: "Not drawn; `gnuplot \(figure.id).gp` in `figures/` draws it."
            case .pdf?: "[\(figure.id).pdf](\(path).pdf)"
            case let format?: "![\(text(figure.title))](\(path).\(format.rawValue))"
            }
        return """
            ### \(text(figure.title))

            \(picture)

            \(text(figure.caption)) Data: [\(figure.id).tsv](\(path).tsv), script: [\(figure.id).gp](\(path).gp).

            """
    }

    private var notReproduced: String {
        let defined = Set(tables.map(\.definition) + figures.map(\.definition))
        let missing = PaperItem.all.compactMap { item in
            item.absence(defined: defined).map { [item.id, item.title, $0] }
        }
        let empty = tables.filter { entry in entry.tables.allSatisfy { $0.columns.isEmpty } }.map {
            [$0.definition, $0.tables[0].title, "this run has no rows for it"]
        }
        return "## Not reproduced here, and why\n\n"
            + grid(["Item", "What", "Why"], missing + empty)
            + "\nRows marked \"not runnable here\" give their reason below their table.\n"
    }

    private var reading: String {
        """
        ## How to read the times

        - Seconds of this machine and of the paper's Apple M4 Pro stand side by side but are not compared; ratios \
        within one machine are.
        - Warm is the identical prompt again after its cache was evicted to disk: one token is recomputed. Hot, as in \
        P1, is a later turn of a conversation: it prefills new tokens on a longer context, so it is not "warm without \
        the disk".
        - Page cache "dropped": the pages of the cache file were dropped before the request; "resident": they were in \
        memory.
        - MLPerf's Closed division forbids caching across queries: all warm and hot times are outside it.

        """
    }

    private var machine: String {
        let rows = input.results.machine.map { attribute -> [String] in
            let value =
                switch attribute.value {
                case .string(let text): text
                case .int(let n): "\(n)"
                case .double(let x): ReportTable.number(x)
                }
            return [attribute.name, value.isEmpty ? "not recorded" : value]
        }
        return "## Machine\n\n"
            + (rows.isEmpty ? "The results file has no machine record.\n" : grid(["Fact", "Value"], rows))
    }

    /// A pipe table; the first column to the left, numbers to the right.
    private func grid(_ header: [String], _ rows: [[String]]) -> String {
        let numeric = header.indices.map { column in rows.allSatisfy { Int($0[column]) != nil } }
        let rule = numeric.map { $0 ? "--:" : ":--" }
        let lines = [header.map(text), rule] + rows.map { $0.map(text) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private func text(_ text: String) -> String { ReportTable.markdown(text) }
}
