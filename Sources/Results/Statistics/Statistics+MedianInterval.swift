extension Statistics {
    /// A confidence interval for the median from order statistics: between the j-th smallest and the j-th largest
    /// sample, j as large as `confidence` allows. It holds for every continuous distribution of independent samples.
    ///
    /// Its true coverage is 1 − 2·P(X ≤ j − 1), X ~ Binomial(n, ½), which steps with n: six samples are the fewest
    /// for 95 %, where the least to the greatest covers 96.875 %. When even those do not reach `confidence`, they are
    /// the interval, and `coverage` says what it is worth.
    /// - Returns: nil for no samples, or when one is NaN.
    /// - Source: Conover: Practical Nonparametric Statistics, 3rd ed., section 3.2.
    public static func medianInterval(_ samples: [Double], confidence: Double = 0.95) -> Interval? {
        guard !samples.isEmpty, !samples.contains(where: \.isNaN) else { return nil }
        let sorted = samples.sorted()
        let n = sorted.count
        let rank = medianRank(n, confidence)
        return Interval(
            lower: sorted[rank], upper: sorted[n - 1 - rank], coverage: max(0, 1 - 2 * halfBinomialCumulative(n)[rank]))
    }

    /// The rank from the outside, counted from 0, at which the interval of n samples begins and ends.
    static func medianRank(_ n: Int, _ confidence: Double) -> Int {
        let tails = halfBinomialCumulative(n)
        // The first that leaves too much out.
        let tooNarrow = (0..<(n + 1) / 2).first { 1 - 2 * tails[$0] < confidence } ?? (n + 1) / 2
        return max(0, tooNarrow - 1)
    }

    /// A confidence interval for median(a) ÷ median(b), both of positive samples: from the least of one median's
    /// interval over the greatest of the other's, to the reverse. It assumes nothing of the distributions.
    ///
    /// Each part gets half of the allowed error, and the coverage is at least both coverages together less one
    /// (Bonferroni), also when the samples were taken in pairs. It is wider than a bootstrap, and safe for small n.
    /// - Returns: nil when there are no samples, or when some are not positive.
    public static func ratioOfMediansInterval(
        _ a: [Double], over b: [Double], confidence: Double = 0.95
    ) -> Interval? {
        let each = (1 + confidence) / 2
        guard a.allSatisfy({ $0 > 0 }), b.allSatisfy({ $0 > 0 }),
            let top = medianInterval(a, confidence: each), let bottom = medianInterval(b, confidence: each)
        else { return nil }
        return Interval(
            lower: top.lower / bottom.upper, upper: top.upper / bottom.lower,
            coverage: max(0, top.coverage + bottom.coverage - 1))
    }

    /// P(X ≤ k) for k = 0...n, X ~ Binomial(n, ½). Complexity: O(n).
    static func halfBinomialCumulative(_ n: Int) -> [Double] {
        // Weights relative to the largest, from the middle outwards: P(i − 1) / P(i) = i / (n − i + 1).
        var weights = [Double](repeating: 1, count: n + 1)
        for i in stride(from: n / 2, to: 0, by: -1) {
            weights[i - 1] = weights[i] * Double(i) / Double(n - i + 1)
            weights[n - i + 1] = weights[i - 1]
        }
        // From the small end, so that a tail is as exact as its own terms.
        var sum = 0.0
        let sums = weights.map { weight in
            sum += weight
            return sum
        }
        return sums.map { $0 / sum }
    }
}
