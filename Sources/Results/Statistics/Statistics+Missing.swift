import Foundation

extension Statistics {
    /// The probability that the intervals of ``medianInterval(_:confidence:)`` of n and m samples of one continuous
    /// distribution do not overlap: 10 % for three and three, where the intervals are all of the samples.
    ///
    /// Every order of the n + m samples is equally likely. Below the k-th smallest of n there are j of m with probability
    /// C(k − 1 + j, j)·C(n − k + m − j, m − j) / C(n + m, m).
    public static func chanceOfMissing(_ n: Int, _ m: Int, confidence: Double = 0.95) -> Double {
        guard n > 0, m > 0 else { return 0 }
        return below(n, m, confidence) + below(m, n, confidence)
    }

    /// The upper end of n's interval below the lower end of m's.
    private static func below(_ n: Int, _ m: Int, _ confidence: Double) -> Double {
        let upper = n - medianRank(n, confidence), lower = medianRank(m, confidence) + 1
        let all = logChoose(n + m, m)
        return (0..<lower).reduce(0) { sum, j in
            sum + exp(logChoose(upper - 1 + j, j) + logChoose(n - upper + m - j, m - j) - all)
        }
    }

    private static func logChoose(_ n: Int, _ k: Int) -> Double {
        lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
    }
}
