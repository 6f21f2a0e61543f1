import Engine
import Foundation
import Models
import Results
import Tensors

/// Runs experiments cell by cell into one run folder.
public final class Runner {
    /// What is to be run.
    public struct Request {
        public var files: [ExperimentFile]
        public var profile: String
        /// `key=value` texts that win over the files.
        public var overrides: [String] = []
        public var resultsFolder: String
        /// Goes on with the newest unfinished run of the same configuration, if there is one.
        public var resume = false
        /// The program's arguments, for the record.
        public var arguments: [String]

        public init(files: [ExperimentFile], profile: String, resultsFolder: String, arguments: [String]) {
            self.files = files
            self.profile = profile
            self.resultsFolder = resultsFolder
            self.arguments = arguments
        }
    }

    /// What happens while it runs.
    public enum Event {
        case warning(String)
        /// The cells of the run, in their order, and which were done before.
        case planned(cells: [(name: String, isFinished: Bool)])
        /// The run folder is there. `finished` cells of `total` were done before.
        case opened(folder: String, finished: Int, total: Int, estimate: TimeEstimate.Before?)
        case started(cell: String, index: Int, total: Int, secondsLeft: Double?)
        case finished(cell: String, index: Int, total: Int, seconds: Double, secondsLeft: Double)
    }

    private let request: Request
    private let execution: Execution
    private let files: ProjectFiles
    private let report: (Event) -> Void

    public init(request: Request, execution: Execution, files: ProjectFiles, report: @escaping (Event) -> Void) {
        self.request = request
        self.execution = execution
        self.files = files
        self.report = report
    }

    /// Checks every setting, then runs what is not finished yet.
    /// - Returns: the run's folder; it is finished, its manifest is still to be written.
    /// - Throws: ``ExperimentsError``, or what a cell throws. Finished cells are kept.
    public func run() throws -> RunDirectory {
        let scratch = request.resultsFolder + "/.caches-\(ProcessInfo.processInfo.processIdentifier)"
        do {
            try FileManager.default.createDirectory(atPath: request.resultsFolder, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: scratch, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ExperimentsError.cannotWrite(folder: request.resultsFolder, reason: error.localizedDescription)
        }
        defer { try? FileManager.default.removeItem(atPath: scratch) }

        let laboratory = Laboratory(execution: execution, files: files, cacheFolder: scratch)
        var experiments: [any Experiment] = []
        var configuration = header()
        for file in request.files {
            let settings = try file.settings(profile: request.profile, overrides: request.overrides)
            experiments.append(try make(file, settings, laboratory))
            configuration += "\(file.experiment):\n"
            configuration += settings.yaml.split(separator: "\n").map { "  \($0)\n" }.joined()
        }
        let git = GitState.read(at: files.root)
        let directory = try open(configuration, git)
        try runCells(of: experiments, in: directory, commit: git.description)
        try directory.finish()
        return directory
    }

    private func make(_ file: ExperimentFile, _ settings: Settings, _ laboratory: Laboratory) throws -> any Experiment {
        let names = ExperimentRegistry.all.map { $0.name }
        guard let type = ExperimentRegistry.all.first(where: { $0.name == file.experiment }) else {
            throw ExperimentsError.unknown(
                kind: "experiment", name: file.experiment, nearest: nearestName(to: file.experiment, in: names),
                available: names)
        }
        return try type.init(settings: settings, laboratory: laboratory)
    }

    /// What else decides the numbers, so that a run is resumed only under the same conditions.
    private func header() -> String {
        """
        profile: \(request.profile)
        threads: \(execution.workers.threadCount)
        isa: \(execution.isaName)
        compute: \(execution.compute.rawValue)

        """
    }

    private func open(_ configuration: String, _ git: GitState) throws -> RunDirectory {
        let hash = digest(configuration)
        if request.resume {
            let found = try RunDirectory.resume(in: request.resultsFolder, matching: hash)
            for warning in found.warnings { report(.warning(warning)) }
            if let directory = found.directory { return directory }
        }
        let machine = MachineFacts.collect(
            isa: execution.isaName, threads: execution.workers.threadCount, folder: request.resultsFolder, measure: true)
        // The rules that stand before the first sample, for the verdicts.
        let rules = (try? Data(contentsOf: URL(fileURLWithPath: "\(files.publishedNumbers)/claims.yaml"))).map { data in
            Attribute("claims_sha256", .string(RunDirectory.digest(of: Array(data))))
        }
        return try RunDirectory.create(
            in: request.resultsFolder,
            run: RunRecord(
                runID: "", startedAtNanoseconds: Int64(Date().timeIntervalSince1970 * 1e9), arguments: request.arguments,
                profile: request.profile, configuration: configuration, configurationHash: hash,
                git: git, kvlabVersion: Version.current),
            machine: machine + (rules.map { [$0] } ?? []))
    }

    private func runCells(of experiments: [any Experiment], in directory: RunDirectory, commit: String) throws {
        let work = experiments.flatMap { experiment in experiment.cells.map { (experiment, $0) } }
        let open = work.filter { !directory.isFinished(cell: $0.1.name) }
        var estimate = TimeEstimate(earlierRun: try? ResultsFile.read(from: files.referenceResults))
        report(.planned(cells: work.map { ($0.1.name, directory.isFinished(cell: $0.1.name)) }))
        report(
            .opened(
                folder: directory.path, finished: work.count - open.count, total: work.count,
                estimate: estimate.before(open.map { $0.1 })))
        let clock = ContinuousClock()
        for (index, (experiment, cell)) in open.enumerated() {
            let left = estimate.secondsLeft(open[index...].map { $0.1 })
            report(.started(cell: cell.name, index: index, total: open.count, secondsLeft: left))
            let start = clock.now
            let rows = try experiment.run(cell)
            let seconds = (clock.now - start).seconds
            try directory.commit(FinishedCell(name: cell.name, seconds: seconds, commit: commit), rows: rows)
            estimate.learn(cell, seconds: seconds)
            report(
                .finished(
                    cell: cell.name, index: index, total: open.count, seconds: seconds,
                    secondsLeft: estimate.secondsLeft(open[(index + 1)...].map { $0.1 }) ?? 0))
        }
    }
}

/// The version of kvlab.
public enum Version {
    public static let current = "0.1.0"
}
