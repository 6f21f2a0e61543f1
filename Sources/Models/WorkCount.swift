import Caches

/// The arithmetic and the memory that a step cannot do without, for comparing its speed with a processor's ceilings.
public struct WorkCount: Sendable, Equatable {
    /// Multiplications and additions with weights.
    public var weightOperations = 0.0
    /// Multiplications and additions of queries with keys, and of their weights with values.
    public var attentionOperations = 0.0
    /// Bytes of weights that are read, each once.
    public var weightBytes = 0.0

    public var operations: Double { weightOperations + attentionOperations }
}

/// What one row costs in a part of a layer.
struct LayerCost {
    /// Elements of the matrices that a row goes through.
    var elements = 0
    /// Their bytes.
    var bytes = 0

    init(_ matrices: Linear...) {
        for matrix in matrices { add(matrix) }
    }

    mutating func add(_ matrix: Linear, times count: Int = 1) {
        elements += matrix.rows * matrix.cols * count
        bytes += matrix.byteCount * count
    }

    static func + (a: LayerCost, b: LayerCost) -> LayerCost {
        var sum = a
        sum.elements += b.elements
        sum.bytes += b.bytes
        return sum
    }
}

extension Decoder {
    /// The work of `tokens` new tokens after `depth` tokens of one sequence when the last one's logits are wanted: in
    /// the last layer, the others stop after their keys and values. A mixture of experts counts the experts of one token
    /// in the bytes.
    public func work(tokens: Int, depth: Int) -> WorkCount {
        var count = WorkCount()
        for (layer, block) in parts.blocks.enumerated() {
            let last = layer == parts.blocks.count - 1
            let store = block.attention.storeCost
            let rest = block.attention.attendCost + block.feedForward.cost
            let rows = last ? 1 : tokens
            count.weightOperations += 2 * (Double(tokens) * Double(store.elements) + Double(rows) * Double(rest.elements))
            count.weightBytes += Double(store.bytes + rest.bytes)
            let shape = block.attention.attentionShape
            let seen = (depth + tokens - rows..<depth + tokens).reduce(0.0) { sum, position in
                sum + Double(min(position + 1, cacheSpec.layers[layer].window ?? .max))
            }
            count.attentionOperations += 2 * seen * Double(shape.queryHeads * (shape.keyWidth + shape.valueWidth))
        }
        count.weightOperations += 2 * Double(parts.head.rows * parts.head.cols)
        count.weightBytes += Double(parts.head.byteCount)
        return count
    }
}
