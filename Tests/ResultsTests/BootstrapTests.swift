import Results
import Testing

@Suite struct BootstrapTests {
    static let a = [12.1, 11.8, 12.6, 13.0, 11.9, 12.2, 12.4, 15.0, 12.0, 12.3].map { [$0] }
    static let b = [10.2, 10.0, 10.9, 9.8, 10.1, 10.4, 10.3, 10.6, 9.9, 10.2].map { [$0] }
    static let plan = BootstrapPlan(resamples: 40_000, seed: 7)

    private func check(
        _ found: BootstrapEstimate?, _ estimate: Double, _ lower: Double, _ upper: Double, _ error: Double,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try #require(found, sourceLocation: location)
        #expect(abs(found.estimate - estimate) < 1e-12, sourceLocation: location)
        #expect(abs(found.interval.lower - lower) < 0.003 * lower, sourceLocation: location)
        #expect(abs(found.interval.upper - upper) < 0.003 * upper, sourceLocation: location)
        #expect(abs(found.standardError - error) < 0.02 * error, sourceLocation: location)
    }

    /// `scipy.stats.bootstrap((a, b), lambda x, y, axis=-1: np.median(x, axis=axis) / np.median(y, axis=axis),
    /// method="percentile", n_resamples=200000, rng=np.random.default_rng(1))`, SciPy 1.17.1; then `paired=True`.
    @Test func ratiosOfMediansAgreeWithSciPy() throws {
        try check(
            Statistics.bootstrapRatioOfMedians(blocks: Self.a, over: Self.b, plan: Self.plan),
            1.200980392156863, 1.1634615384615383, 1.25, 0.022172785247380387)
        try check(
            Statistics.bootstrapRatioOfMedians(pairedBlocks: Self.a, over: Self.b, plan: Self.plan),
            1.200980392156863, 1.1787439613526567, 1.2474747474747474, 0.01715312841341337)
    }

    /// The same function over block indices, statistic `sums[i].sum(axis) / counts[i].sum(axis)`, 400000 resamples.
    @Test func meansOfUnequalBlocksAgreeWithSciPy() throws {
        try check(
            Statistics.bootstrapMean(
                blocks: [[1, 2, 3], [10, 11], [4, 4, 4, 4], [0.5], [7, 9]], plan: Self.plan),
            4.958333333333333, 2.4166666666666665, 8.277777777777779, 1.4683610679247414)
    }

    @Test func thePlanDecidesEveryDigit() throws {
        let first = Statistics.bootstrapMean(blocks: Self.a, plan: .init(seed: 3))
        #expect(first == Statistics.bootstrapMean(blocks: Self.a, plan: .init(seed: 3)))
        #expect(first != Statistics.bootstrapMean(blocks: Self.a, plan: .init(seed: 4)))
    }

    @Test func tooLittleGivesNothing() {
        #expect(Statistics.bootstrapMean(blocks: [[1, 2, 3]]) == nil)
        #expect(Statistics.bootstrapMean(blocks: [[], []]) == nil)
        #expect(Statistics.bootstrapMean(blocks: [[1], [.nan]]) == nil)
        #expect(Statistics.bootstrapRatioOfMedians(blocks: Self.a, over: [[1]]) == nil)
        // Some resamples of these are empty; the others still say something.
        let sparse = Statistics.bootstrapMean(blocks: [[], [1, 3]])
        #expect(sparse?.interval == Interval(lower: 2, upper: 2, coverage: 0.95))
    }

    /// Samples that share their block's shift: drawn by blocks, the 95 % interval holds the true mean about as often
    /// as it says; drawn one by one, it is far too sure.
    @Test func onlyBlocksCoverCorrelatedSamples() throws {
        var random = SplitMix64(seed: 11)
        func normal() -> Double {  // Irwin–Hall: twelve uniforms less six
            (0..<12).reduce(-6.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 }
        }
        var (byBlocks, oneByOne) = (0, 0)
        let runs = 200
        for run in 0..<runs {
            let blocks = (0..<40).map { _ in
                let shift = normal()
                return (0..<8).map { _ in shift + normal() / 4 }
            }
            let plan = BootstrapPlan(resamples: 200, seed: UInt64(run))
            if try #require(Statistics.bootstrapMean(blocks: blocks, plan: plan)).interval.contains(0) {
                byBlocks += 1
            }
            let samples = blocks.joined().map { [$0] }
            if try #require(Statistics.bootstrapMean(blocks: samples, plan: plan)).interval.contains(0) {
                oneByOne += 1
            }
        }
        #expect((180...200).contains(byBlocks))
        #expect(oneByOne < 130)
    }

    /// Seed 1234567: the first outputs of the reference implementation, as listed at
    /// https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
    @Test func splitMix64IsThePublishedOne() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }
}
