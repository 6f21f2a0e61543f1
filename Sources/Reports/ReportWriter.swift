import Foundation
import Results

/// Writes tables, figures and a report from a results file, and from nothing else: no model is loaded and nothing is
/// measured, so the same results file gives the same bytes again.
public struct ReportWriter: Sendable {
    private let published: PublishedNumbers
    private let gnuplot: Gnuplot

    /// - Parameters:
    ///   - published: the folder of published numbers, `datasets/paper`.
    ///   - gnuplot: the command that draws: a name to look up in PATH, or a path.
    public init(published folder: String, gnuplot: String = "gnuplot") {
        published = PublishedNumbers(folder: folder)
        self.gnuplot = Gnuplot(command: gnuplot)
    }

    /// Writes `tables/`, `figures/`, `report.md` and, where asked for, `report.html` into `folder`, which is made when it is
    /// not there. Each file is replaced atomically; files of other formats are left alone.
    /// - Parameter resultsPath: the results file as captions name it, relative to where readers start.
    /// - Returns: the files written, relative to `folder`, in order of writing.
    /// - Throws: ``ReportsError``. When gnuplot is missing or fails, everything but the drawings is written first.
    @discardableResult
    public func write(
        _ results: ResultsFile, resultsPath: String, to folder: String, formats: Set<ReportFormat>
    ) async throws -> [String] {
        let input = ReportInput(results: results, published: published, resultsPath: resultsPath)
        let tables = try tableDefinitions.map { (definition: $0.id, tables: try $0.tables(input)) }
        let claims = try claimTables(results)
        let figures = try figureDefinitions.map { definition in
            (definition: definition.id, title: definition.title, figures: try definition.build(input))
        }
        var output = ReportFolder(path: folder)
        for table in claims + tables.flatMap(\.tables) {
            for format in ReportFormat.allCases where formats.contains(format) {
                guard let text = table.text(as: format) else { continue }
                try output.write(text, to: "tables/\(table.id).\(format.rawValue)")
            }
        }
        let drawings = ReportFormat.allCases.filter { $0.isFigure && formats.contains($0) }
        // The page shows SVG, whether or not it is asked for as a file.
        let drawn = drawings + (formats.contains(.html) && !drawings.contains(.svg) ? [.svg] : [])
        var pictures: [String: String] = [:]
        var failure: ReportsError?
        for figure in figures.flatMap(\.figures) {
            try output.write(figure.data, to: "figures/\(figure.id).tsv")
            try output.write(figure.script, to: "figures/\(figure.id).gp")
            guard failure == nil, !drawn.isEmpty else { continue }
            do {
                for (format, bytes) in try await gnuplot.draw(figure, as: drawn, at: results.run.startedAtNanoseconds) {
                    if format == .svg { pictures[figure.id] = String(decoding: bytes, as: UTF8.self) }
                    guard drawings.contains(format) else { continue }
                    try output.write(bytes, to: "figures/\(figure.id).\(format.rawValue)")
                }
            } catch let error as ReportsError {
                failure = error
            }
        }
        let report = RunReport(
            input: input, claims: claims, tables: tables, figures: figures,
            shownFigureFormat: failure == nil ? drawings.first { $0 != .pdf } ?? drawings.first : nil,
            tableFormats: ReportFormat.allCases.filter { $0.isTable && formats.contains($0) })
        try output.write(report.markdown, to: "report.md")
        if formats.contains(.html) {
            let page = ReportPage(
                title: report.title, blocks: report.blocks, counts: ClaimsTable.counts(of: claims), drawings: pictures)
            try output.write(page.html, to: "report.html")
        }
        if let failure { throw failure }
        return output.written
    }

    /// The tables of one definition as plain text for a terminal: those whose names begin with its id and a model, with the
    /// columns of `keys` alone.
    /// - Throws: ``ReportsError`` as ``write(_:resultsPath:to:formats:)`` does; nothing is drawn or written.
    public func plainTables(_ id: String, columns keys: [String], of results: ResultsFile, resultsPath: String) throws -> String {
        let input = ReportInput(results: results, published: published, resultsPath: resultsPath)
        let tables = try tableDefinitions.filter { $0.id == id }.flatMap { try $0.tables(input) }
        return tables.compactMap { $0.keeping(keys)?.plainText }.joined(separator: "\n")
    }

    /// What a run came to, as plain text for a terminal: the speed-ups at the longest context, and the verdicts of each
    /// table.
    /// - Throws: ``ReportsError`` as ``write(_:resultsPath:to:formats:)`` does; nothing is drawn or written.
    public func terminalSummary(_ results: ResultsFile, resultsPath: String = "results.h5") throws -> String {
        let input = ReportInput(results: results, published: published, resultsPath: resultsPath)
        let headline = Headline(tables: try tableDefinitions.flatMap { try $0.tables(input) })
        var parts = [headline.speedUps, headline.verdicts].compactMap { $0?.plainText }
        if headline.verdicts == nil { parts.append("Nothing in this run can be compared with a published number.\n") }
        parts += try claimTables(results).map { "\($0.title): \($0.caption.prefix { $0 != "." }).\n" }
        if !headline.absent.isEmpty { parts.append("Not in this run: \(headline.absent.joined(separator: ", ")).\n") }
        return parts.joined(separator: "\n")
    }

    private func claimTables(_ results: ResultsFile) throws -> [ReportTable] {
        let ledger = try ClaimLedger(published)
        return ClaimsTable(outcomes: try ledger.decide(results), age: ledger.age(of: results)).tables
    }
}

extension ReportTable {
    /// The table in a table format; nil for a figure format.
    func text(as format: ReportFormat) -> String? {
        switch format {
        case .md: markdown
        case .csv: csv
        case .tex: latex
        case .svg, .pdf, .png, .html: nil
        }
    }
}
