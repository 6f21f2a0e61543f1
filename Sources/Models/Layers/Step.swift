import Caches
import Synchronization

/// One step on its way through the layers.
final class Step {
    let execution: Execution
    let scratch: StepScratch
    let rows: StepRows
    /// The rows at work: all of them, until the last layer keeps only those whose logits are wanted.
    private(set) var active: StepRows.Selection
    /// The first active row that was found to hold NaN or infinity, or `Int.max`.
    private let notFiniteRow = Atomic<Int>(.max)

    init(execution: Execution, scratch: StepScratch, rows: StepRows) {
        self.execution = execution
        self.scratch = scratch
        self.rows = rows
        active = rows.all
    }

    /// Notes that active row `row` holds NaN or infinity. Any thread may.
    func noteNotFinite(row: Int) {
        _ = notFiniteRow.min(row, ordering: .relaxed)
    }

    /// - Throws: ``ModelsError/notFinite(layer:position:agent:model:)`` if a row was noted.
    func checkFinite(layer: Int?, model: String) throws {
        let row = notFiniteRow.load(ordering: .relaxed)
        guard row != .max else { return }
        let sequence = active.sequences.last { $0.firstRow <= row }!
        throw ModelsError.notFinite(
            layer: layer, position: sequence.firstPosition + row - sequence.firstRow, agent: sequence.cache.agent,
            model: model)
    }

    /// Moves the rows whose logits are wanted to the front of `hidden`; only they are at work from now on.
    func narrow() {
        active = rows.wanted
        let width = scratch.hiddenSize
        for (target, source) in active.rows.enumerated() where target != source {
            (scratch.hidden + target * width).update(from: scratch.hidden + source * width, count: width)
        }
    }
}
