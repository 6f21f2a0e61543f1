import CKernels
import Caches
import Schemes

/// How much attention the rows of steps give to each token of a context: softmax(q·k), summed over layers, query heads and
/// rows.
///
/// A step adds to it where ``SequenceStep/mass`` names it. The last layer has only the rows whose logits are wanted. Weights
/// are computed apart from the attention itself, from the same stored keys, so that a step gives the same bits with it and
/// without; the time is that of a decode of every row. It belongs to the thread that drives the engine.
public final class AttentionMass: @unchecked Sendable {
    /// Of each token of the context, in its order.
    public private(set) var tokens: [Double] = []

    public init() {}

    func add(
        _ attention: CachedAttention, _ sequence: CachedAttention.Sequence, layer: Int, window: Int?,
        shape: CachedAttention.Shape, _ queries: UnsafePointer<Float>, stride: Int
    ) {
        let isa = attention.execution.isa
        let end = sequence.firstPosition + sequence.count
        let first = max(0, sequence.firstPosition + 1 - (window ?? end))
        if tokens.count < end { tokens += Array(repeating: 0, count: end - tokens.count) }
        let layout = sequence.cache.layout.layers[layer]
        let waiting = CachedAttention.WaitingRows(sequence, layout, shape: shape, query: sequence.firstPosition)
        var keys = [Float](repeating: 0, count: (end - first) * shape.keyWidth)
        var scores = [Float](repeating: 0, count: shape.group * (end - first))
        for head in 0..<shape.kvHeads {
            keys.withUnsafeMutableBufferPointer { keys in
                var position = first
                while position < end {
                    let next = min(end, (position / blockTokens + 1) * blockTokens)
                    attention.read(
                        .keys, sequence.cache, layer, layout, head: head, position..<next, waitingFrom: waiting.keys,
                        into: keys.baseAddress! + (position - first) * shape.keyWidth)
                    position = next
                }
            }
            for row in 0..<sequence.count {
                let query = queries + (sequence.firstRow + row) * stride + head * shape.group * shape.keyWidth
                let high = sequence.firstPosition + row + 1
                let low = max(first, high - (window ?? high))
                let count = high - low
                keys.withUnsafeBufferPointer { keys in
                    kl_scores_f32(
                        isa, query, shape.keyWidth, shape.group, keys.baseAddress! + (low - first) * shape.keyWidth, count,
                        shape.keyWidth, &scores, count)
                }
                for member in 0..<shape.group {
                    add(scores[(member * count)..<((member + 1) * count)], from: low, shape)
                }
            }
        }
    }

    /// Adds the softmax of one row of scores that are not scaled yet.
    private func add(_ scores: ArraySlice<Float>, from low: Int, _ shape: CachedAttention.Shape) {
        let scaled = scores.map { score in
            let score = score * shape.scale
            return shape.softcap > 0 ? shape.softcap * hyperbolicTangent(score / shape.softcap) : score
        }
        let maximum = scaled.max()!
        let weights = scaled.map { exponential($0 - maximum) }
        let sum = weights.reduce(0, +)
        for (index, weight) in weights.enumerated() { tokens[low + index] += Double(weight / sum) }
    }
}
