/// What a comparison with a published number came to.
public enum Verdict: Sendable, Equatable {
    case reproduced
    case differs
    /// There is nothing here to compare, and why.
    case notRunnable(reason: String)
    /// It can be measured, but was not, and what would.
    case notMeasured(reason: String)

    /// As it stands in a table cell.
    public var text: String {
        switch self {
        case .reproduced: "reproduced"
        case .differs: "differs"
        case .notRunnable: "not runnable here"
        case .notMeasured: "not measured in this run"
        }
    }

    /// Why nothing was decided; nil where something was.
    public var reason: String? {
        switch self {
        case .reproduced, .differs: nil
        case .notRunnable(let reason), .notMeasured(let reason): reason
        }
    }
}

/// The rule that turns a published number and a measured one into a ``Verdict``. It is fixed before anything is
/// measured, and its ``statement`` stands in the caption of each table that uses it.
public enum VerdictRule: Sendable, Equatable {
    /// More is better: the whole interval reaches at least `share` of the published number.
    case atLeast(share: Double)
    /// Less is better: the whole interval stays at or below `factor` times the published number, or below `floor`
    /// where that is larger.
    case atMost(factor: Double, floor: Double = 0)
    /// Both are whole numbers and equal.
    case equal
    /// The value lies within `share` of the published number, on either side.
    case within(share: Double)

    /// The verdict on `here`, whose interval counts in full: one that reaches across the bound differs.
    public func decide(published: Double, here: Estimate) -> Verdict {
        let holds =
            switch self {
            case .atLeast(let share): here.low >= share * published
            case .atMost(let factor, let floor): here.high <= max(factor * published, floor)
            case .equal: here.value == published
            case .within(let share): abs(here.value - published) <= share * abs(published)
            }
        return holds ? .reproduced : .differs
    }

    /// The rule in words, to follow "Reproduced: "; `what` says whether an interval is meant.
    public func statement(of what: String) -> String {
        switch self {
        case .atLeast(let share):
            "\(what) is at least \(NumberText.exact(share)) × the published one"
        case .atMost(let factor, 0):
            "\(what) is at most \(NumberText.exact(factor)) × the published one"
        case .atMost(let factor, let floor):
            "\(what) is at most \(NumberText.exact(factor)) × the published one, "
                + "or at most \(NumberText.exact(floor * 100)) % where that is more"
        case .equal: "\(what) equals the published one"
        case .within(let share):
            "\(what) is within \(NumberText.exact(share * 100)) % of the published one"
        }
    }
}
