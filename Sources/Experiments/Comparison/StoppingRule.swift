import Results

/// When enough windows were measured: the interval of the mean is as narrow as asked, or the time is used up.
public struct StoppingRule: Sendable, Equatable {
    /// The widest interval allowed, over the mean.
    public var relativeInterval: Double
    /// Windows that are measured before the interval is looked at.
    public var leastWindows: Int
    /// Time for the windows of one scheme; two windows are always measured.
    public var seconds: Double

    public init(relativeInterval: Double, leastWindows: Int, seconds: Double) {
        self.relativeInterval = relativeInterval
        self.leastWindows = leastWindows
        self.seconds = seconds
    }

    /// Why it stopped.
    public enum Reason: String, Sendable {
        case interval
        case time
        /// There is no window left.
        case text
    }

    /// - Parameters:
    ///   - windows: the samples of each window so far.
    ///   - seconds: how long they took.
    ///   - left: windows that are left.
    /// - Returns: nil to go on.
    public func reason(windows: [[Double]], seconds: Double, left: Int) -> Reason? {
        if windows.count >= max(2, leastWindows), let estimate = Statistics.bootstrapMean(blocks: windows),
            estimate.interval.upper - estimate.interval.lower <= relativeInterval * estimate.estimate
        {
            return .interval
        }
        if left == 0 { return .text }
        return windows.count >= 2 && seconds >= self.seconds ? .time : nil
    }
}
