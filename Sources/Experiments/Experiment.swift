import Results

/// Something that is measured: a list of cells, and for each cell the rows that running it gave.
///
/// A cell is the unit of resuming: it is run whole or not at all. A new experiment is one file that conforms to this,
/// one YAML in `experiments/`, and one line in ``ExperimentRegistry``.
public protocol Experiment: AnyObject, SendableMetatype {
    /// The name that a YAML's `experiment` key refers to.
    static var name: String { get }
    /// One sentence for `kvlab experiments`.
    static var summary: String { get }

    /// Reads every setting it knows.
    /// - Throws: ``ExperimentsError`` for a bad setting, before anything is measured.
    init(settings: Settings, laboratory: Laboratory) throws

    /// What is to be run, in the order in which to run it.
    var cells: [Cell] { get }

    /// Runs one cell.
    /// - Returns: its samples, raw.
    func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)]
}

/// A cell of an experiment.
public struct Cell: Sendable, Equatable {
    /// Unique in a run, the same in every run of the same settings: `ttft/llama-quick/1024/pass 1`.
    public let name: String
    /// Expected work in a unit of the experiment's own, for the estimate of the time left.
    public let cost: Double

    public init(name: String, cost: Double) {
        self.name = name
        self.cost = cost
    }
}

/// Every experiment there is. A new one adds one line here.
public enum ExperimentRegistry {
    public static let all: [any Experiment.Type] = [
        TTFTExperiment.self, CapacityExperiment.self, BatchedExperiment.self, StaggeredExperiment.self,
        PhasesExperiment.self, RoutingExperiment.self, AblationExperiment.self, ThrashExperiment.self,
        SavingExperiment.self, PerplexityExperiment.self, KLDExperiment.self, ContinuationExperiment.self, DriftExperiment.self,
        SensitivityExperiment.self, TasksExperiment.self, SchemesExperiment.self, TuneExperiment.self, SpeedExperiment.self,
        PeerSpeedExperiment.self, PeerRestoreExperiment.self, PeerQualityExperiment.self, HandoffExperiment.self, TopologiesExperiment.self,
        HopsExperiment.self,
    ]
}
