/// A rule that decides a claim from the rows of one results table. It was written before the run.
///
/// ```yaml
/// experiment: ttft                      # what to run where the rows are missing
/// table: ttft
/// rows: {paper_model: llama3.1-8b, context: 16384}      # both sides
/// value: median(ttft_seconds)           # of the rows of one sample
/// of: {state: cold}
/// over: {state: warm, variant: exact}   # divided by; without it, the value itself is decided on
/// each: [page_cache]                    # more columns to tell cases by
/// sample: [pass]                        # rows with the same of these are one sample; [pass] where there is such a column
/// unit: ×
/// at_least: 111
/// explain: [read_seconds]               # medians of these are shown where the rule does not hold
/// without_rows: needs the weights       # why the rows cannot be had here, where that is known
/// ```
///
/// A condition is a value, a list of values, or a range `{min: 1, max: 5}`. Besides the columns of the table there is
/// `context`, the published context length that `context_tokens` stands for. Rows that differ in shape, weights, model,
/// protocol, scheme or context are never mixed: each is a case of its own, unless `of` and `over` say which is meant.
///
/// A case is the median over its samples with a non-parametric interval, quotients taken within a sample. The whole
/// interval must lie within the bound, in every case.
public struct ClaimRule: Sendable, Equatable {
    /// A column of the table and the line that names it.
    struct Column: Sendable, Equatable {
        var name: String
        var line: Int
    }

    public var experiment: String
    var table: Column
    var rows: [RowCondition]
    var value: ClaimValue
    var of: [RowCondition]
    var over: [RowCondition]?
    var each: [Column]
    /// nil: by pass where the table has that column.
    var sample: [Column]?
    public var unit: ClaimUnit
    public var bound: ClaimBound
    var explain: [Column]
    /// Why a run here has no such rows; nil where it could.
    var withoutRows: String?

    /// Columns by which rows are told apart without being named.
    static let identity = ["shape", "model", "weights", "protocol", "scheme", "context"]

    /// The rule in words.
    public var statement: String {
        let side = of.isEmpty ? "" : " of \(RowCondition.text(of))"
        let below = over.map { " ÷ the same of \($0.isEmpty ? "all rows" : RowCondition.text($0))" } ?? ""
        let among = rows.isEmpty ? "" : ", \(RowCondition.text(rows))"
        return "\(bound.statement(unit)): \(value.text)\(side)\(below); table \(table.name)\(among)"
    }
}

/// The unit in which a rule states its numbers.
public enum ClaimUnit: String, Sendable, CaseIterable {
    case factor = "×"
    case percent = "%"
    case mebibytes = "MiB"
    case agents
    case plain = ""

    /// shown = base × scale.
    var scale: Double {
        switch self {
        case .percent: 100
        case .mebibytes: 0x1p-20
        case .factor, .agents, .plain: 1
        }
    }

    /// "111 ×"
    func text(_ number: String) -> String { self == .plain ? number : "\(number) \(rawValue)" }
}

/// What a number must be for a claim to be reproduced. Intervals count in full.
public enum ClaimBound: Sendable, Equatable {
    case atLeast(Double)
    case atMost(Double)
    case moreThan(Double)
    case lessThan(Double)
    case between(Double, Double)
    case equals(Double)

    func holds(_ estimate: Estimate) -> Bool {
        switch self {
        case .atLeast(let bound): estimate.low >= bound
        case .atMost(let bound): estimate.high <= bound
        case .moreThan(let bound): estimate.low > bound
        case .lessThan(let bound): estimate.high < bound
        case .between(let low, let high): estimate.low >= low && estimate.high <= high
        case .equals(let bound): estimate.low == bound && estimate.high == bound
        }
    }

    /// True where only a larger number could hold.
    var wantsMore: Bool {
        switch self {
        case .atLeast, .moreThan: true
        case .atMost, .lessThan, .between, .equals: false
        }
    }

    func statement(_ unit: ClaimUnit) -> String {
        func text(_ x: Double) -> String { unit.text(NumberText.exact(x)) }
        return switch self {
        case .atLeast(let bound): "at least \(text(bound))"
        case .atMost(let bound): "at most \(text(bound))"
        case .moreThan(let bound): "more than \(text(bound))"
        case .lessThan(let bound): "less than \(text(bound))"
        case .between(let low, let high): "from \(NumberText.exact(low)) to \(text(high))"
        case .equals(let bound): "exactly \(text(bound))"
        }
    }
}
