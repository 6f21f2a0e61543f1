/// Everything one run leaves behind in `results.h5`: what was asked for, on which machine, which cells are
/// finished, and every raw sample. Reports read this and nothing else.
public struct ResultsFile: Sendable, Equatable {
    /// What was run: attributes of the HDF5 root group, in order.
    public var run: RunRecord
    /// Where it ran: attributes of the group `machine`, in order.
    public var machine: [Attribute]
    /// In order of finishing. A killed run resumes after these.
    public var finishedCells: [FinishedCell]
    /// Tables in order of first use.
    public var tables: [ResultTable]

    public init(run: RunRecord, machine: [Attribute], finishedCells: [FinishedCell] = [], tables: [ResultTable] = []) {
        self.run = run
        self.machine = machine
        self.finishedCells = finishedCells
        self.tables = tables
    }

    public func table(_ name: String) -> ResultTable? { tables.first { $0.schema.name == name } }
}

/// A cell that is done: how long it took, and which build did it.
public struct FinishedCell: Sendable, Equatable {
    public var name: String
    /// Wall time; NaN in a file of an older kvlab, which did not say.
    public var seconds: Double
    /// As ``GitState/description`` gives it. A run that is resumed may have cells of several builds.
    public var commit: String

    public init(name: String, seconds: Double, commit: String) {
        self.name = name
        self.seconds = seconds
        self.commit = commit
    }
}

/// A named fact, stored as an HDF5 attribute.
public struct Attribute: Sendable, Equatable {
    public var name: String
    public var value: Value

    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// What was run, written before the first sample.
public struct RunRecord: Sendable, Equatable {
    public var runID: String
    /// Integer nanoseconds since 1970-01-01T00:00:00Z.
    public var startedAtNanoseconds: Int64
    /// Empty while the run is unfinished.
    public var finishedAtNanoseconds: Int64?
    public var arguments: [String]
    public var profile: String
    /// The resolved configuration, as YAML: everything needed to run it again.
    public var configuration: String
    /// SHA-256 of `configuration`, hex.
    public var configurationHash: String
    /// The build that began it; ``FinishedCell/commit`` says which one ran a cell.
    public var git: GitState
    public var kvlabVersion: String

    public init(
        runID: String, startedAtNanoseconds: Int64, finishedAtNanoseconds: Int64? = nil, arguments: [String],
        profile: String, configuration: String, configurationHash: String, git: GitState,
        kvlabVersion: String
    ) {
        self.runID = runID
        self.startedAtNanoseconds = startedAtNanoseconds
        self.finishedAtNanoseconds = finishedAtNanoseconds
        self.arguments = arguments
        self.profile = profile
        self.configuration = configuration
        self.configurationHash = configurationHash
        self.git = git
        self.kvlabVersion = kvlabVersion
    }
}
