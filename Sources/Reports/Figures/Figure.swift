/// One figure: the numbers it is drawn from and the gnuplot script that draws them.
public struct Figure: Sendable, Equatable {
    /// "F2-corrected": also the name of its files.
    public let id: String
    public let title: String
    public let caption: String
    /// `<id>.tsv`: a header line, then one line per point; base units, full precision, NaN where there is nothing.
    public let data: String
    /// `<id>.gp`: reads `<id>.tsv` beside it and draws `<id>.svg`, `.pdf` and `.png`.
    public let script: String
}
