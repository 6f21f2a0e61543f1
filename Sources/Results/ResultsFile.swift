/// Everything one run leaves behind in `results.h5`: what was asked for, on which machine, which cells are
/// finished, and every raw sample. Reports read this and nothing else.
public struct ResultsFile: Sendable, Equatable {
    /// What was run: attributes of the HDF5 root group, in order.
    public var run: RunRecord
    /// Where it ran: attributes of the group `machine`, in order.
    public var machine: [Attribute]
    /// Names of the finished cells, in order of finishing. A killed run resumes after these.
    public var finishedCells: [String]
    /// Tables in order of first use.
    public var tables: [ResultTable]

    public init(run: RunRecord, machine: [Attribute], finishedCells: [String] = [], tables: [ResultTable] = []) {
        self.run = run
        self.machine = machine
        self.finishedCells = finishedCells
        self.tables = tables
    }

    public func table(_ name: String) -> ResultTable? { tables.first { $0.schema.name == name } }
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
    public var gitCommit: String
    public var gitDirty: Bool
    public var kvlabVersion: String

    public init(
        runID: String, startedAtNanoseconds: Int64, finishedAtNanoseconds: Int64? = nil, arguments: [String],
        profile: String, configuration: String, configurationHash: String, gitCommit: String, gitDirty: Bool,
        kvlabVersion: String
    ) {
        self.runID = runID
        self.startedAtNanoseconds = startedAtNanoseconds
        self.finishedAtNanoseconds = finishedAtNanoseconds
        self.arguments = arguments
        self.profile = profile
        self.configuration = configuration
        self.configurationHash = configurationHash
        self.gitCommit = gitCommit
        self.gitDirty = gitDirty
        self.kvlabVersion = kvlabVersion
    }
}
