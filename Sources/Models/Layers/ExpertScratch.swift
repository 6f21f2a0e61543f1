import Foundation
import Tensors

/// What a mixture of experts works in: the choice of experts, and rows in the order of experts.
final class ExpertScratch {
    /// Router scores, then probabilities, [rows, experts].
    let scores: UnsafeMutablePointer<Float>
    /// A token's experts in ascending order, [rows, chosen].
    private let experts: UnsafeMutablePointer<Int32>
    /// Factors on their outputs, [rows, chosen].
    let weights: UnsafeMutablePointer<Float>
    /// Where a token's row for each of its experts is, [rows, chosen].
    let slots: UnsafeMutablePointer<Int32>
    /// The rows of expert e are starts[e] ..< starts[e + 1], [experts + 1].
    let starts: UnsafeMutablePointer<Int32>
    /// Experts that have rows, [activeCount].
    let active: UnsafeMutablePointer<Int32>
    private(set) var activeCount = 0
    /// Inputs in the order of experts, and later the outputs, [rows · chosen, hidden].
    let rows: UnsafeMutablePointer<Float>
    /// [rows · chosen, 2 · FFN width]
    let gateUp: UnsafeMutablePointer<Float>
    private let codes: UnsafeMutablePointer<Int8>
    private let scales, sums: UnsafeMutablePointer<Float>
    private let groupScores: UnsafeMutablePointer<Float>
    private let buffer: AlignedBuffer

    var byteCount: Int { buffer.byteCount }

    /// - Parameter rows: the most tokens of a step.
    init(_ shape: MixtureOfExperts.Shape, rows: Int) throws {
        let slotCount = rows * shape.chosen
        let input = max(shape.hiddenSize, shape.ffnSize)
        let groups = (input + Linear.groupSize - 1) / Linear.groupSize
        var arena = Arena()
        let scores = arena.reserve(rows * shape.count, of: Float.self)
        let groupScores = arena.reserve(rows * shape.groups, of: Float.self)
        let experts = arena.reserve(slotCount, of: Int32.self)
        let weights = arena.reserve(slotCount, of: Float.self)
        let slots = arena.reserve(slotCount, of: Int32.self)
        let starts = arena.reserve(shape.count + 1, of: Int32.self)
        let active = arena.reserve(shape.count, of: Int32.self)
        let values = arena.reserve(slotCount * shape.hiddenSize, of: Float.self)
        let gateUp = arena.reserve(slotCount * 2 * shape.ffnSize, of: Float.self)
        let codes = arena.reserve(slotCount * input, of: Int8.self)
        let scales = arena.reserve(slotCount * groups, of: Float.self)
        let sums = arena.reserve(slotCount * groups, of: Float.self)
        buffer = try AlignedBuffer(byteCount: arena.byteCount)
        self.scores = buffer.slice(scores)
        self.groupScores = buffer.slice(groupScores)
        self.experts = buffer.slice(experts)
        self.weights = buffer.slice(weights)
        self.slots = buffer.slice(slots)
        self.starts = buffer.slice(starts)
        self.active = buffer.slice(active)
        self.rows = buffer.slice(values)
        self.gateUp = buffer.slice(gateUp)
        self.codes = buffer.slice(codes)
        self.scales = buffer.slice(scales)
        self.sums = buffer.slice(sums)
    }

    /// The rows that experts take, `cols` wide.
    func input(cols: Int) -> Activations {
        Activations(values: rows, stride: cols, codes: codes, scales: scales, sums: sums)
    }

    /// The rows that the experts' last matrices take; their 8-bit form replaces that of the inputs.
    func gate(width: Int) -> Activations {
        Activations(values: gateUp, stride: 2 * width, codes: codes, scales: scales, sums: sums)
    }

    /// Chooses the experts of row `row` by its scores. Of equals the first is chosen; with NaN, some are.
    func choose(_ row: Int, _ shape: MixtureOfExperts.Shape) {
        let scores = scores + row * shape.count
        softmax(scores, shape.count)
        let experts = experts + row * shape.chosen
        let weights = weights + row * shape.chosen
        if shape.chosenGroups < shape.groups { keepBestGroups(scores, groupScores + row * shape.groups, shape) }
        for index in 0..<shape.chosen {
            let best = Self.best(scores, shape.count)
            // Ascending, by insertion.
            var place = index
            while place > 0, experts[place - 1] > best {
                experts[place] = experts[place - 1]
                weights[place] = weights[place - 1]
                place -= 1
            }
            experts[place] = Int32(best)
            weights[place] = scores[best] * shape.scale
            scores[best] = -1
        }
    }

    private func softmax(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        var high = x[0]
        for index in 1..<count { high = max(high, x[index]) }
        var sum: Float = 0
        for index in 0..<count {
            x[index] = expf(x[index] - high)
            sum += x[index]
        }
        for index in 0..<count { x[index] /= sum }
    }

    /// Sets the probabilities to 0 in all groups but those with the highest single probabilities.
    private func keepBestGroups(
        _ scores: UnsafeMutablePointer<Float>, _ groups: UnsafeMutablePointer<Float>, _ shape: MixtureOfExperts.Shape
    ) {
        let size = shape.count / shape.groups
        for group in 0..<shape.groups {
            groups[group] = scores[group * size + Self.best(scores + group * size, size)]
        }
        for _ in 0..<shape.chosenGroups { groups[Self.best(groups, shape.groups)] = -1 }
        for group in 0..<shape.groups where groups[group] != -1 {
            (scores + group * size).update(repeating: 0, count: size)
        }
    }

    /// Index of the largest of `count` values that are not −1 (taken); the first of equals.
    private static func best(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Int {
        var best = -1
        for index in 0..<count where x[index] != -1 {
            if best < 0 || x[index] > x[best] { best = index }
        }
        return best
    }

    /// Puts the chosen (row, expert) pairs in the order of experts, rows of an expert in their own order.
    func group(rows: Int, _ shape: MixtureOfExperts.Shape) {
        starts.update(repeating: 0, count: shape.count + 1)
        for index in 0..<rows * shape.chosen { starts[Int(experts[index]) + 1] += 1 }
        activeCount = 0
        for expert in 0..<shape.count {
            if starts[expert + 1] > 0 {
                active[activeCount] = Int32(expert)
                activeCount += 1
            }
            starts[expert + 1] += starts[expert]
        }
        for index in 0..<rows * shape.chosen {
            let expert = Int(experts[index])
            slots[index] = starts[expert]
            starts[expert] += 1
        }
        // Every start has moved on to the next one's.
        for expert in stride(from: shape.count, to: 0, by: -1) { starts[expert] = starts[expert - 1] }
        starts[0] = 0
    }
}
