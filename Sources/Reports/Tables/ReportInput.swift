import Results

/// Everything that a table or a figure is made from.
public struct ReportInput: Sendable {
    public let results: ResultsFile
    public let published: PublishedNumbers
    /// The results file as captions name it: "results/2026-…/results.h5".
    public let resultsPath: String

    public init(results: ResultsFile, published: PublishedNumbers, resultsPath: String) {
        self.results = results
        self.published = published
        self.resultsPath = resultsPath
    }

    /// The shapes' configurations, beside the published numbers in the project's folder.
    var shapesFolder: String { published.folder + "/../../experiments/shapes" }

    /// The TTFT samples of the run by block; empty when it has none.
    func ttftBlocks() throws -> [TTFTBlock] {
        guard let table = results.table("ttft") else { return [] }
        return TTFTBlock.all(try TTFTSample.all(in: table))
    }

    /// The capacity rows of the run; empty when it has none.
    func capacityRows() throws -> [CapacityRow] {
        guard let table = results.table("capacity") else { return [] }
        return try CapacityRow.all(in: table)
    }

    /// The closing sentence of a caption: CPU, cores, commit, results file. `detail` is what the rows say of their
    /// own threads and instruction set.
    func provenance(_ detail: String = "") -> String {
        let cores = machineText("cores_usable").map { ", \($0) cores" } ?? ""
        let cpu = machineText("cpu_model") ?? "a machine whose CPU was not recorded"
        return
            "Measured on \(cpu)\(cores)\(detail.isEmpty ? "" : ", \(detail)"); kvlab \(commit); data: \(resultsPath)."
    }

    /// "commit 0123456789ab", and whether the tree had changes; all of them where a run was resumed with other builds.
    var commit: String {
        let suffix = GitState.dirtySuffix
        var commits: [String] = []
        let cells = results.finishedCells.map(\.commit)
        for commit in cells.isEmpty ? [results.run.git.description] : cells where !commits.contains(commit) {
            commits.append(commit)
        }
        let texts = commits.filter { $0 != "" && $0 != suffix }.map {
            $0.hasSuffix(suffix) ? "\($0.dropLast(suffix.count).prefix(12)) with uncommitted changes" : "\($0.prefix(12))"
        }
        if texts.isEmpty { return "of an unrecorded commit" }
        return (texts.count == 1 ? "commit " : "commits ") + texts.joined(separator: ", ")
    }

    /// An attribute of the machine record as text; nil when it is absent or empty.
    func machineText(_ name: String) -> String? {
        switch results.machine.first(where: { $0.name == name })?.value {
        case .string(let text): text.isEmpty ? nil : text
        case .int(let n): "\(n)"
        case .double(let x): x.isFinite ? NumberText.short(x) : nil
        case nil: nil
        }
    }

    /// A numeric attribute of the machine record; nil when it is absent or not finite.
    func machineNumber(_ name: String) -> Double? {
        switch results.machine.first(where: { $0.name == name })?.value {
        case .int(let n): Double(n)
        case .double(let x): x.isFinite ? x : nil
        case .string, nil: nil
        }
    }
}
