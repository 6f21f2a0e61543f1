extension Statistics {
    /// The sign-flip test of paired samples: the two-sided p-value that the differences are as often positive as negative,
    /// from how many of the ways to give them signs have a sum at least as far from 0. It needs no distribution, only that a
    /// difference is as likely as its negative when nothing is different.
    ///
    /// All 2ⁿ ways up to n = 16; beyond that 65,536 drawn from the seed, and then (1 + hits)/(1 + 65,536).
    /// - Returns: 1 for no differences, NaN when one is NaN. With n of them p is at least 2/2ⁿ.
    /// - Source: Good: Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd ed., section 3.2; Phipson, Smyth:
    ///   Permutation P-values Should Never Be Zero (2010) for the drawn case.
    public static func signFlip(_ differences: [Double], seed: UInt64 = 1) -> Double {
        guard !differences.contains(where: \.isNaN) else { return .nan }
        let magnitudes = differences.map(abs)
        // Sums that are equal but for rounding count as equal.
        let observed = abs(differences.reduce(0, +)) - 1e-12 * magnitudes.reduce(0, +)
        func isFarther(_ sign: (Int) -> Bool) -> Bool {
            var sum = 0.0
            for index in magnitudes.indices { sum += sign(index) ? -magnitudes[index] : magnitudes[index] }
            return abs(sum) >= observed
        }
        let ways = 1 << 16
        guard magnitudes.count > 16 else {
            let all = 1 << magnitudes.count
            return Double((0..<all).count { way in isFarther { way >> $0 & 1 == 1 } }) / Double(all)
        }
        var generator = SplitMix64(seed: seed)
        let hits = (0..<ways).count { _ in
            let words = (0...magnitudes.count / 64).map { _ in generator.next() }
            return isFarther { words[$0 / 64] >> ($0 % 64) & 1 == 1 }
        }
        return Double(1 + hits) / Double(1 + ways)
    }
}
