import Foundation

extension Statistics {
    /// Wilson's score interval for a proportion: it stays within 0...1 and is usable at 0 and n successes.
    /// Centre (k + z²/2) / (n + z²), half width z·√(k(n − k)/n + z²/4) / (n + z²).
    /// - Returns: nil for no trials.
    /// - Source: Wilson: Probable Inference, the Law of Succession, and Statistical Inference. JASA 22 (1927).
    public static func wilsonInterval(successes: Int, of trials: Int, confidence: Double = 0.95) -> Interval? {
        precondition((0...max(0, trials)).contains(successes), "Between none and all of the trials succeed")
        guard trials > 0 else { return nil }
        let (k, n) = (Double(successes), Double(trials))
        let z = normalQuantile((1 + confidence) / 2)
        let centre = (k + z * z / 2) / (n + z * z)
        let half = z * (k * (n - k) / n + z * z / 4).squareRoot() / (n + z * z)
        return Interval(
            lower: successes == 0 ? 0 : centre - half, upper: successes == trials ? 1 : centre + half,
            coverage: confidence)
    }

    /// McNemar's exact test for two methods tried on the same items: the two-sided p-value that they succeed equally
    /// often, from the items on which they differ: min(1, 2·P(X ≤ min(b, c))), X ~ Binomial(b + c, ½).
    /// - Parameters:
    ///   - onlyFirst: items on which only the first method succeeded (b).
    ///   - onlySecond: items on which only the second did (c).
    /// - Source: McNemar: Note on the Sampling Error of the Difference between Correlated Proportions or
    ///   Percentages. Psychometrika 12 (1947); exact form as in R's `exact2x2`.
    public static func mcNemar(onlyFirst: Int, onlySecond: Int) -> Double {
        let tail = halfBinomialCumulative(onlyFirst + onlySecond)[min(onlyFirst, onlySecond)]
        return min(1, 2 * tail)
    }

    /// Holm's correction of the p-values of several comparisons, in the order given: the i-th smallest of m becomes
    /// the largest of (m − j + 1)·p₍ⱼ₎ over j ≤ i, at most 1. Comparing these with 5 % keeps the chance of even one
    /// false claim among all m below 5 %.
    /// - Source: Holm: A Simple Sequentially Rejective Multiple Test Procedure. Scand. J. Statist. 6 (1979).
    public static func holm(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var largest = 0.0
        for (rank, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
            largest = max(largest, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = largest
        }
        return adjusted
    }

    /// z with Φ(z) = p, 0 < p < 1, by bisection of `erfc`, which is exact to the last few bits.
    static func normalQuantile(_ p: Double) -> Double {
        var (low, high) = (-40.0, 40.0)
        while true {
            let middle = (low + high) / 2
            if middle == low || middle == high { return middle }
            if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
        }
    }
}
