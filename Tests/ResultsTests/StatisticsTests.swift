import Results
import Testing

/// Expected figures come from SciPy 1.17.1 unless said otherwise; the call stands above each.
@Suite struct StatisticsTests {
    private func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
        abs(a - b) <= tolerance * max(1, abs(b))
    }

    /// `[numpy.quantile(x, p) for p in (0, .1, .25, .5, .9, .99, 1)]`
    @Test(arguments: zip(
        [0, 0.1, 0.25, 0.5, 0.9, 0.99, 1],
        [1.2, 1.8000000000000003, 2.6500000000000004, 4.4, 8.92, 9.621999999999998, 9.7]))
    func quantilesAreType7(p: Double, expected: Double) {
        #expect(close(Statistics.quantile([3.1, 1.2, 8.4, 2.2, 5.9, 4.4, 9.7], p), expected, 1e-15))
    }

    @Test func mediansAndTheirAbsence() {
        #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
        #expect(Statistics.median([7]) == 7)
        #expect(Statistics.median([]).isNaN)
        #expect(Statistics.median([1, .nan, 2]).isNaN)
        #expect(Statistics.mean([1, 2, 6]) == 3)
        #expect(Statistics.mean([]).isNaN)
    }

    /// Where intervals are all of the samples, 2 of the C(n + m, n) equally likely orders keep them apart.
    @Test(arguments: [(3, 3, 20.0), (4, 5, 126), (6, 6, 924), (1, 1, 2)])
    func equalRunsMissEachOther(n: Int, m: Int, orders: Double) {
        #expect(close(Statistics.chanceOfMissing(n, m), 2 / orders, 1e-9))
        #expect(Statistics.chanceOfMissing(n, m) == Statistics.chanceOfMissing(m, n))
        #expect(Statistics.chanceOfMissing(0, m) == 0)
        // Inner samples are closer together.
        #expect(Statistics.chanceOfMissing(12, 12) > Statistics.chanceOfMissing(6, 6) / 10)
    }

    @Test func aTailNeedsASampleBeyondIt() {
        let samples = (1...1000).map(Double.init)
        #expect(Statistics.tailQuantile(Array(samples[..<99]), 0.99) == nil)
        #expect(Statistics.tailQuantile(Array(samples[..<100]), 0.99) != nil)
        #expect(Statistics.tailQuantile(Array(samples[..<999]), 0.999) == nil)
        #expect(Statistics.tailQuantile(samples, 0.999) == Statistics.quantile(samples, 0.999))
        #expect(Statistics.tailQuantile(Array(samples[..<99]), 0.01) == nil)
    }

    /// The largest j with `c = 1 - 2*scipy.stats.binom.cdf(j-1, n, .5)` of at least .95; the samples are 1...n.
    @Test(arguments: [
        (6, 1, 0.96875), (10, 2, 0.978515625), (20, 6, 0.9586105346679688), (30, 10, 0.9572260547429323),
        (100, 40, 0.9647997997822951), (1001, 470, 0.9500154764972456),
    ])
    func medianIntervalsHaveTheirTrueCoverage(n: Int, j: Int, coverage: Double) throws {
        let interval = try #require(Statistics.medianInterval((1...n).map(Double.init).reversed()))
        #expect(interval.lower == Double(j))
        #expect(interval.upper == Double(n + 1 - j))
        #expect(close(interval.coverage, coverage))
    }

    /// 1 − 2/2⁵ = 93.75 %.
    @Test func fewSamplesGiveLeastToGreatestWithLess() throws {
        #expect(Statistics.medianInterval([5, 1, 4, 2, 3]) == Interval(lower: 1, upper: 5, coverage: 0.9375))
        #expect(Statistics.medianInterval([5]) == Interval(lower: 5, upper: 5, coverage: 0))
        #expect(Statistics.medianInterval([]) == nil)
        #expect(Statistics.medianInterval([1, .nan]) == nil)
    }

    /// Each median at 97.5 %: n = 8 has 1 − 2·9/256 = 92.97 % for its second and 99.21875 % for its first sample.
    @Test func ratioOfMediansTakesTheOuterEnds() throws {
        let a = (10...17).map(Double.init), b = (1...8).map(Double.init)
        let interval = try #require(Statistics.ratioOfMediansInterval(a, over: b))
        #expect(interval == Interval(lower: 10.0 / 8, upper: 17, coverage: 1 - 2 * (1 - 0.9921875)))
        #expect(Statistics.ratioOfMediansInterval(a, over: [0] + b) == nil)
        #expect(Statistics.ratioOfMediansInterval([], over: b) == nil)
    }

    /// `scipy.stats.binomtest(k, n).proportion_ci(c, method="wilson")`
    @Test(arguments: [
        (0, 10, 0.95, 0, 0.27753279986288926), (10, 10, 0.95, 0.7224672001371109, 1),
        (1, 10, 0.95, 0.017876213095072896, 0.4041500267952385),
        (81, 263, 0.95, 0.2552885198782742, 0.36620957698280004),
        (9995, 10000, 0.95, 0.998829974053858, 0.9997864115738362),
        (81, 263, 0.99, 0.24013690268760768, 0.3852825023182298),
    ])
    func wilson(k: Int, n: Int, confidence: Double, lower: Double, upper: Double) throws {
        let interval = try #require(Statistics.wilsonInterval(successes: k, of: n, confidence: confidence))
        #expect(close(interval.lower, lower))
        #expect(close(interval.upper, upper))
        #expect(Statistics.wilsonInterval(successes: 0, of: 0) == nil)
    }

    /// `scipy.stats.binomtest(min(b, c), b + c, .5).pvalue`
    @Test(arguments: [
        (0, 0, 1), (1, 9, 0.021484375), (6, 0, 0.03125), (121, 59, 4.4344492637551645e-06), (5, 5, 1),
        (500, 600, 0.0028195449914364284),
    ])
    func mcNemar(b: Int, c: Int, p: Double) {
        let found = Statistics.mcNemar(onlyFirst: b, onlySecond: c)
        #expect(abs(found - p) <= 1e-11 * p)
    }

    /// `statsmodels.stats.multitest.multipletests(p, method="holm")[1]`, statsmodels 0.14
    @Test func holm() {
        let adjusted = Statistics.holm([0.01, 0.04, 0.03, 0.005, 0.2, 0.5])
        #expect(zip(adjusted, [0.05, 0.12, 0.12, 0.03, 0.4, 0.5]).allSatisfy { close($0, $1) })
        #expect(Statistics.holm([0.9, 0.8]) == [1, 1])
        #expect(Statistics.holm([]) == [])
    }
}
