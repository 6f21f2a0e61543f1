/// The newer, the more: a token's weight is one over how many tokens back it lies.
public struct RecencyController: PrecisionController {
    public let name = "recency"
    public let summary = "the newest tokens finest, weight one over the distance"

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] {
        (0..<context.tokens).map { 1 / Double(context.tokens - $0) }
    }
}

/// ``RecencyController``, with the first tokens as fine as the newest: models give the start of a context attention
/// whatever it says.
/// - Source: Xiao et al., "Efficient Streaming Language Models with Attention Sinks", arXiv 2309.17453.
public struct SinkRecencyController: PrecisionController {
    public static let sinks = 4

    public let name = "sink+recency"
    public let summary = "recency, and the first \(sinks) tokens as fine as the newest"

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] {
        var weights = RecencyController().weights(context)
        for token in 0..<min(Self.sinks, weights.count) { weights[token] = 1 }
        return weights
    }
}

/// The weights of ``RecencyController`` in random order: the same numbers of coarse and fine tokens, chosen without knowing
/// anything.
public struct RandomController: PrecisionController {
    public let name = "random"
    public let summary = "the weights of recency, in random order"

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] {
        var weights = RecencyController().weights(context)
        var generator = Generator(state: context.seed)
        weights.shuffle(using: &generator)
        return weights
    }

    /// SplitMix64.
    /// - Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }
}
