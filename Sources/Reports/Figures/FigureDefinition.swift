/// A figure of the papers that a run can draw.
public protocol FigureDefinition: Sendable {
    /// "F2": as in the papers; the figures it makes have ids that start with it.
    var id: String { get }
    var title: String { get }
    /// The results tables it is drawn from.
    var needs: [String] { get }

    /// The figures of this run; none when there is nothing to draw.
    /// - Throws: ``ReportsError`` when the published numbers are damaged or a column is missing.
    func build(_ input: ReportInput) throws -> [Figure]
}

/// Every figure of the report, in its order. A new one is a file and a line here.
public let figureDefinitions: [any FigureDefinition] = [
    Figure01Block(),
    Figure02TTFT(),
    Figure03Timeline(),
    Figure04Models(),
    Figure05PhaseTimeline(),
    Figure06Routing(),
    FigureWarmStages(),
    FigureQ1Stages(),
    FigureCapacity(),
    FigureRoofline(),
    FigurePeerRestore(),
    FigureSensitivity(),
    FigureDrift(),
    FigureSchemes(),
    FigureRecallDistance(),
    FigureQ2Hops(),
]
