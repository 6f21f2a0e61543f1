/// A measured quantity: its value, and the interval that the samples leave for it.
public struct Estimate: Sendable, Equatable {
    /// The median of the samples, in the unit of the samples.
    public var value: Double
    public var low: Double
    public var high: Double
    public var sampleCount: Int
    /// The probability with which the interval covers the true median, 0...1: what the samples give, not what was
    /// asked for.
    public var coverage: Double

    public init(value: Double, low: Double, high: Double, sampleCount: Int, coverage: Double) {
        self.value = value
        self.low = low
        self.high = high
        self.sampleCount = sampleCount
        self.coverage = coverage
    }

    /// A number that is known exactly, such as a count.
    public static func exact(_ value: Double) -> Estimate {
        Estimate(value: value, low: value, high: value, sampleCount: 1, coverage: 1)
    }
}
