extension Statistics {
    /// The `p` quantile, type 7 of Hyndman and Fan: linear between the samples at ranks ⌊h⌋ and ⌈h⌉, h = (n − 1)p,
    /// counted from 0. It is the default of NumPy and R.
    ///
    /// Example: `quantile([1, 2, 3, 4], 0.9)` has h = 2.7 and is 3.7.
    /// - Parameter p: 0...1.
    /// - Returns: NaN for no samples, or when one is NaN.
    /// - Source: Hyndman, Fan: Sample Quantiles in Statistical Packages. The American Statistician 50 (1996).
    public static func quantile(_ samples: [Double], _ p: Double) -> Double {
        samples.contains(where: \.isNaN) ? .nan : quantile(sorted: samples.sorted(), p)
    }

    /// The middle sample, or the mean of the two middle ones; NaN for no samples.
    public static func median(_ samples: [Double]) -> Double { quantile(samples, 0.5) }

    /// A quantile far out, such as 0.99: nil unless one sample in n is expected beyond it, so that p99 needs 100
    /// samples and p99.9 a thousand.
    public static func tailQuantile(_ samples: [Double], _ p: Double) -> Double? {
        let beyond = Double(samples.count) * min(p, 1 - p)
        return beyond < 1 - 1e-9 ? nil : quantile(samples, p)
    }

    static func quantile(sorted samples: [Double], _ p: Double) -> Double {
        precondition((0...1).contains(p), "A quantile is asked for between 0 and 1")
        guard let last = samples.indices.last else { return .nan }
        let h = Double(last) * p
        let below = Int(h)
        let fraction = h - Double(below)
        if fraction == 0 { return samples[below] }
        return samples[below] + fraction * (samples[below + 1] - samples[below])
    }
}
