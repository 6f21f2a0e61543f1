/// A table of the papers that a run can fill.
public protocol TableDefinition: Sendable {
    /// "T3": as in the papers; the tables it builds have ids that start with it.
    var id: String { get }
    var title: String { get }
    /// The results tables it is made from; with none of their rows there is nothing to build.
    var needs: [String] { get }

    /// The tables made from `input`, one per block where the definition says so, at least one.
    /// - Throws: ``ReportsError`` when the published numbers are damaged or a column is missing.
    func build(_ input: ReportInput) throws -> [ReportTable]
}

/// Every table of the report, in its order. A new one is a file and a line here.
public let tableDefinitions: [any TableDefinition] = [
    Table01Devices(),
    Table02Capacity(),
    Table14CapacityByPolicy(),
    AppendixDBytesPerAgent(),
    Table03TTFT(),
    Table03Flatness(),
    Table13TTFTRanges(),
    Table04Batched(),
    Table06Ablation(),
    Table07Phases(),
    Table08Routing(),
    Figure03Staggered(),
    TableThrash(),
    TableQ1Handoff(),
    TableQ4Topologies(),
    TableSaving(),
    Table09Perplexity(),
    Table10Restoration(),
    Table11Features(),
    TableDivergence(),
    TableTasks(),
    TableSensitivity(),
    TableDrift(),
    TableContinuation(),
    TableQ2Hops(),
    TableQ3Controllers(),
    TableRequantization(),
    TableSchemes(),
    TableOrderings(),
    TableTune(),
    TableSpeed(),
    TablePeerSpeed(),
    TablePeerRestore(),
    TablePeerQuality(),
]

extension TableDefinition {
    /// ``build(_:)``, or one table without rows that says which results are missing.
    public func tables(_ input: ReportInput) throws -> [ReportTable] {
        let missing = needs.filter { (input.results.table($0)?.rowCount ?? 0) == 0 }
        guard missing.isEmpty else {
            let names = missing.map { "'\($0)'" }.joined(separator: " and ")
            return [
                ReportTable(
                    id: id, title: title,
                    absence: "Not in this run: \(input.resultsPath) has no rows in \(names).")
            ]
        }
        return try build(input)
    }
}
