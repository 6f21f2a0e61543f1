/// What a bootstrap says of a statistic.
public struct BootstrapEstimate: Sendable, Equatable {
    /// The statistic of the samples themselves.
    public var estimate: Double
    /// Standard deviation over the resamples.
    public var standardError: Double
    /// Percentile interval over the resamples.
    public var interval: Interval
    /// Blocks that were drawn from, in all groups.
    public var blocks: Int
}

/// How a bootstrap is drawn. The same plan on the same samples gives the same figures, on every machine.
public struct BootstrapPlan: Sendable, Equatable {
    public var resamples: Int
    public var confidence: Double
    public var seed: UInt64

    public init(resamples: Int = 2000, confidence: Double = 0.95, seed: UInt64 = 1) {
        self.resamples = resamples
        self.confidence = confidence
        self.seed = seed
    }
}

/// The block bootstrap: whole blocks are drawn with replacement, as many as there are, so that samples that depend on
/// one another (tokens of one window, repetitions in one process) stay together. With one sample per block it is the
/// ordinary bootstrap.
///
/// Source: Efron, Tibshirani: An Introduction to the Bootstrap, chapters 6, 8 and 13.
extension Statistics {
    /// The mean over all samples of all blocks, for example of the KL divergence over tokens in windows.
    /// - Returns: nil for fewer than two blocks, or when all are empty.
    public static func bootstrapMean(blocks: [[Double]], plan: BootstrapPlan = .init()) -> BootstrapEstimate? {
        let sums = blocks.map { $0.reduce(0, +) }
        return bootstrap(groups: [blocks.count], plan: plan) { drawn in
            var (sum, count) = (0.0, 0)
            for block in drawn[0] {
                sum += sums[block]
                count += blocks[block].count
            }
            return sum / Double(count)
        }
    }

    /// median(a) ÷ median(b), the groups drawn apart from each other.
    /// - Returns: nil when either has fewer than two blocks.
    public static func bootstrapRatioOfMedians(
        blocks a: [[Double]], over b: [[Double]], plan: BootstrapPlan = .init()
    ) -> BootstrapEstimate? {
        bootstrap(groups: [a.count, b.count], plan: plan) { drawn in
            median(drawn[0].flatMap { a[$0] }) / median(drawn[1].flatMap { b[$0] })
        }
    }

    /// median(a) ÷ median(b) of samples taken in turn: block i of both is drawn together, so what disturbed the
    /// machine for a while disturbs both.
    /// - Returns: nil for fewer than two blocks.
    public static func bootstrapRatioOfMedians(
        pairedBlocks a: [[Double]], over b: [[Double]], plan: BootstrapPlan = .init()
    ) -> BootstrapEstimate? {
        precondition(a.count == b.count, "Paired groups have as many blocks each")
        return bootstrap(groups: [a.count], plan: plan) { drawn in
            median(drawn[0].flatMap { a[$0] }) / median(drawn[0].flatMap { b[$0] })
        }
    }

    /// Any statistic: `statistic` gets, for each group, the indices of the blocks drawn.
    /// - Parameter groups: the number of blocks of each group.
    /// - Returns: nil when a group has fewer than two blocks, or the statistic of all of them is NaN.
    public static func bootstrap(
        groups: [Int], plan: BootstrapPlan, statistic: ([[Int]]) -> Double
    ) -> BootstrapEstimate? {
        precondition(plan.resamples > 1, "A bootstrap draws at least twice")
        let estimate = statistic(groups.map { Array(0..<$0) })
        guard groups.allSatisfy({ $0 > 1 }), !estimate.isNaN else { return nil }
        var generator = SplitMix64(seed: plan.seed)
        let resampled = (0..<plan.resamples).map { _ in
            statistic(groups.map { count in (0..<count).map { _ in generator.next(below: count) } })
        }
        // A resample of empty blocks only has no value, which says nothing of the statistic.
        let values = resampled.filter { !$0.isNaN }.sorted()
        guard values.count > 1 else { return nil }
        let centre = mean(values)
        let variance = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1)
        let tail = (1 - plan.confidence) / 2
        return BootstrapEstimate(
            estimate: estimate, standardError: variance.squareRoot(),
            interval: Interval(
                lower: quantile(sorted: values, tail), upper: quantile(sorted: values, 1 - tail),
                coverage: plan.confidence),
            blocks: groups.reduce(0, +))
    }
}
