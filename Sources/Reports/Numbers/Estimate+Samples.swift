import Results

extension Estimate {
    /// The median of `samples` and its non-parametric interval by order statistics.
    /// - Precondition: there is at least one sample and none is NaN.
    init(_ samples: [Double]) {
        guard let interval = Statistics.medianInterval(samples) else {
            preconditionFailure("an estimate of \(samples.count) samples, or of NaN")
        }
        self.init(
            value: Statistics.median(samples), low: interval.lower, high: interval.upper, sampleCount: samples.count,
            coverage: interval.coverage)
    }

    /// What the intervals of `estimates` are worth, in a sentence, since few passes cannot reach 95 %.
    static func coverageNote(_ estimates: [Estimate]) -> [String] {
        let coverages = Dictionary(estimates.map { ($0.sampleCount, $0.coverage) }, uniquingKeysWith: { $1 })
        let parts = coverages.sorted { $0.key > $1.key }.map { count, coverage in
            count == 1
                ? "one pass has none" : "n = \(count): \(NumberText.fixed(coverage * 100, decimals: 1)) %"
        }
        return parts.isEmpty
            ? [] : ["Probability that an interval covers the true median: \(parts.joined(separator: ", "))."]
    }
}
