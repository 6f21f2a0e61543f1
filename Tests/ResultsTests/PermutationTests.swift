import Results
import Testing

@Suite struct PermutationTests {
    /// All signs the same: of the 2ⁿ ways two are as far from zero.
    @Test func everyDifferenceOfOneSign() {
        #expect(Statistics.signFlip([1, 2, 3]) == 2 / 8.0)
        #expect(Statistics.signFlip([-0.5, -0.1, -0.2, -0.4]) == 2 / 16.0)
        #expect(Statistics.signFlip([Double](repeating: 1, count: 10)) == 2 / 1024.0)
    }

    /// 3 − 1 = 2: the sums ±2 and ±4 are as far, ±3 ±1 gives each once.
    @Test func byHand() {
        #expect(Statistics.signFlip([3, -1]) == 1)
        // Sums of 1, 2, 4 with signs are the odd numbers from −7 to 7; 4 + 2 − 1 = 5, and ±5, ±7 are as far.
        #expect(Statistics.signFlip([-1, 2, 4]) == 4 / 8.0)
    }

    @Test func theEdges() {
        #expect(Statistics.signFlip([]) == 1)
        #expect(Statistics.signFlip([0, 0]) == 1)
        #expect(Statistics.signFlip([1, .nan]).isNaN)
    }

    /// Drawn ways agree with all of them: 15 of 20 equal differences positive is a binomial test.
    @Test func manyDifferencesAreDrawn() {
        let differences = [Double](repeating: 1, count: 15) + [Double](repeating: -1, count: 5)
        // 2·P(X ≤ 5), X ~ Binomial(20, ½).
        let exact = 2 * 21_700 / 1_048_576.0
        let p = Statistics.signFlip(differences)
        #expect(abs(p / exact - 1) < 0.08)
        #expect(p == Statistics.signFlip(differences))
        #expect(Statistics.signFlip([Double](repeating: 1, count: 30)) == 1 / 65_537.0)
    }
}
