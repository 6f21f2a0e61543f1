/// Statistics of raw samples: what the reports print beside every figure. All of it can be computed again from the
/// results file.
///
/// A missing sample (NaN) makes the result missing, NaN or nil: whoever drops such samples says how many.
public enum Statistics {}

/// A range that holds the true value with a stated probability.
public struct Interval: Sendable, Equatable {
    public var lower: Double
    public var upper: Double
    /// Probability, 0...1: for an interval by order statistics the true one, else the nominal one.
    public var coverage: Double

    public init(lower: Double, upper: Double, coverage: Double) {
        self.lower = lower
        self.upper = upper
        self.coverage = coverage
    }

    public func contains(_ x: Double) -> Bool { lower <= x && x <= upper }
}

extension Statistics {
    /// Arithmetic mean; NaN for no samples.
    public static func mean(_ samples: [Double]) -> Double {
        samples.reduce(0, +) / Double(samples.count)
    }
}
