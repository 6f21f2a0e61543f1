import Foundation

/// How far one next-token distribution is from another, at one position.
public struct TokenDivergence: Sendable, Equatable {
    /// KL(base ‖ other) = Σ p·(ln p − ln q), in nats; never below 0.
    public var klDivergence: Double
    /// −ln p of the token that came next, under the base and under the other.
    public var baseLoss: Double
    public var loss: Double
    /// Whether both find the same token the most likely; the first of equals.
    public var agrees: Bool

    /// q − p of the token that came next.
    public var probabilityChange: Double { exp(-loss) - exp(-baseLoss) }

    /// - Parameters:
    ///   - base: logits [vocabulary] with the unquantized cache.
    ///   - other: logits [vocabulary] with another cache after the same tokens.
    ///   - next: the token that came next.
    /// - Returns: nil where a logit is not finite.
    ///
    /// Sums are in 64 bits, in the order of the vocabulary, so that the result does not depend on threads. Complexity:
    /// 3·vocabulary exponentials.
    public init?(base: UnsafeBufferPointer<Float>, other: UnsafeBufferPointer<Float>, next: Int32) {
        precondition(base.count == other.count && base.indices.contains(Int(next)), "logits of one vocabulary")
        guard let p = Normalizer(base), let q = Normalizer(other) else { return nil }
        var divergence = 0.0
        for token in base.indices {
            let logP = Double(base[token]) - p.logSum
            divergence += exp(logP) * (logP - (Double(other[token]) - q.logSum))
        }
        // Equal distributions may differ from 0 by rounding, to either side.
        klDivergence = max(0, divergence)
        baseLoss = p.logSum - Double(base[Int(next)])
        loss = q.logSum - Double(other[Int(next)])
        agrees = p.best == q.best
    }

    /// ln Σ exp of a row of logits, and its largest entry.
    private struct Normalizer {
        var logSum = 0.0
        var best = 0

        init?(_ logits: UnsafeBufferPointer<Float>) {
            for token in logits.indices where logits[token] > logits[best] { best = token }
            let top = Double(logits[best])
            var sum = 0.0
            for logit in logits { sum += exp(Double(logit) - top) }
            logSum = top + log(sum)
            guard logSum.isFinite else { return nil }
        }
    }
}
