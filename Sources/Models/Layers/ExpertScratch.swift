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
    /// The rows of expert e begin at starts[2e] and end at ends[2e]; those that go through tiles are 2e + 1, and begin
    /// with a whole tile. [2 · experts]
    private let starts, ends: UnsafeMutablePointer<Int32>
    /// The numbers of those above that have rows, [activeCount].
    private let active: UnsafeMutablePointer<Int32>
    private(set) var activeCount = 0
    /// Inputs in the order of experts, and later the outputs, [rows · chosen, hidden].
    let rows: UnsafeMutablePointer<Float>
    /// [rows · chosen, 2 · FFN width]
    let gateUp: UnsafeMutablePointer<Float>
    private let records: UnsafeMutablePointer<UInt8>
    private let scales, sums: UnsafeMutablePointer<Float>
    private let packed: UnsafeMutablePointer<UInt16>
    private let groupScores: UnsafeMutablePointer<Float>
    private let buffer: AlignedBuffer

    var byteCount: Int { buffer.byteCount }

    /// Rows of a tile.
    private static let tileRows = 16

    /// - Parameters:
    ///   - rows: the most tokens of a step.
    ///   - tiles: may rows go through tiles? Then there is room for gaps before them.
    init(_ shape: MixtureOfExperts.Shape, rows: Int, tiles: Bool) throws {
        let chosenCount = rows * shape.chosen
        let gaps = tiles ? min(shape.count, chosenCount) * (Self.tileRows - 1) : 0
        let slotCount = chosenCount + gaps
        let input = max(shape.hiddenSize, shape.ffnSize)
        let groups = (input + Linear.groupSize - 1) / Linear.groupSize
        var arena = Arena()
        let scores = arena.reserve(rows * shape.count, of: Float.self)
        let groupScores = arena.reserve(rows * shape.groups, of: Float.self)
        let experts = arena.reserve(chosenCount, of: Int32.self)
        let weights = arena.reserve(chosenCount, of: Float.self)
        let slots = arena.reserve(chosenCount, of: Int32.self)
        let starts = arena.reserve(2 * shape.count, of: Int32.self)
        let ends = arena.reserve(2 * shape.count, of: Int32.self)
        let active = arena.reserve(2 * shape.count, of: Int32.self)
        let values = arena.reserve(slotCount * shape.hiddenSize, of: Float.self)
        let gateUp = arena.reserve(slotCount * 2 * shape.ffnSize, of: Float.self)
        let records = arena.reserve(Activations.recordBytes(rows: slotCount, cols: input), of: UInt8.self)
        let scales = arena.reserve(slotCount * groups, of: Float.self)
        let sums = arena.reserve(slotCount * groups, of: Float.self)
        let packed = arena.reserve(tiles ? Activations.packedCount(rows: slotCount, cols: input) : 0, of: UInt16.self)
        buffer = try AlignedBuffer(byteCount: arena.byteCount)
        self.scores = buffer.slice(scores)
        self.groupScores = buffer.slice(groupScores)
        self.experts = buffer.slice(experts)
        self.weights = buffer.slice(weights)
        self.slots = buffer.slice(slots)
        self.starts = buffer.slice(starts)
        self.ends = buffer.slice(ends)
        self.active = buffer.slice(active)
        self.rows = buffer.slice(values)
        self.gateUp = buffer.slice(gateUp)
        self.records = buffer.slice(records)
        self.scales = buffer.slice(scales)
        self.sums = buffer.slice(sums)
        self.packed = buffer.slice(packed)
    }

    /// The rows that experts take, `cols` wide.
    func input(cols: Int) -> Activations {
        Activations(values: rows, stride: cols, records: records, scales: scales, sums: sums, packed: packed)
    }

    /// The rows that the experts' last matrices take; the form of them that products take replaces that of the inputs.
    func gate(width: Int) -> Activations {
        Activations(values: gateUp, stride: 2 * width, records: records, scales: scales, sums: sums, packed: packed)
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

    /// Puts the chosen (row, expert) pairs in the order of experts, rows of an expert in their own order, first those
    /// that do not go through tiles.
    func group(_ runs: [RowRun], _ shape: MixtureOfExperts.Shape) {
        ends.update(repeating: 0, count: 2 * shape.count)
        forEachPair(runs, shape) { ends[$1] += 1 }
        activeCount = 0
        var next = 0
        for number in 0..<2 * shape.count where ends[number] > 0 {
            active[activeCount] = Int32(number)
            activeCount += 1
            if number % 2 == 1 { next = (next + Self.tileRows - 1) / Self.tileRows * Self.tileRows }
            let count = Int(ends[number])
            starts[number] = Int32(next)
            ends[number] = Int32(next)
            next += count
        }
        forEachPair(runs, shape) { pair, number in
            slots[pair] = ends[number]
            ends[number] += 1
        }
    }

    private func forEachPair(_ runs: [RowRun], _ shape: MixtureOfExperts.Shape, _ body: (Int, Int) -> Void) {
        for run in runs {
            for pair in run.rows.lowerBound * shape.chosen..<run.rows.upperBound * shape.chosen {
                body(pair, 2 * Int(experts[pair]) + (run.inTiles ? 1 : 0))
            }
        }
    }

    /// The expert and the rows of the `index`-th of those that have rows.
    func work(_ index: Int) -> (expert: Int, run: RowRun) {
        let number = Int(active[index])
        return (number / 2, RowRun(rows: Int(starts[number])..<Int(ends[number]), inTiles: number % 2 == 1))
    }
}
