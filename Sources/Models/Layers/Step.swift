import CKernels
import Caches
import Synchronization

/// One step on its way through the layers.
final class Step {
    /// The model's name, for errors.
    private let model: String
    let execution: Execution
    let scratch: StepScratch
    let rows: StepRows
    /// The rows at work: all of them, until the last layer keeps only those whose logits are wanted.
    private(set) var active: StepRows.Selection
    /// How the rows at work go through matrices.
    private(set) var runs: [RowRun]
    /// The first row that was found to hold NaN or infinity, or `Int.max`.
    private let notFiniteRow = Atomic<Int>(.max)

    init(model: String, execution: Execution, scratch: StepScratch, rows: StepRows) {
        self.model = model
        self.execution = execution
        self.scratch = scratch
        self.rows = rows
        active = rows.all
        runs = execution.runs(of: rows.all.sequences)
    }

    /// ``Execution/quantize(_:rows:cols:runs:)`` of rows at work.
    func quantize(_ input: Activations, rows: Range<Int>, cols: Int) {
        execution.quantize(input, rows: rows, cols: cols, runs: runs)
    }

    /// Notes row `row` of the step if it holds NaN or infinity in the `count` numbers at `values`. Any thread may.
    func check(_ values: UnsafePointer<Float>, _ count: Int, row: Int) {
        if kl_first_beyond(values, count, .greatestFiniteMagnitude) >= 0 { notFiniteRow.min(row, ordering: .relaxed) }
    }

    /// - Throws: ``ModelsError/notFinite(part:position:agent:model:)`` if a row was noted.
    func throwIfNotFinite(_ part: ModelPart) throws {
        let row = notFiniteRow.load(ordering: .relaxed)
        guard row != .max else { return }
        let sequence = rows.sequences.last { $0.firstRow <= row }!
        throw ModelsError.notFinite(
            part: part, position: sequence.firstPosition + row - sequence.firstRow, agent: sequence.cache.agent,
            model: model)
    }

    /// Moves the rows whose logits are wanted to the front of `hidden`; only they are at work from now on.
    func narrow() {
        active = rows.wanted
        runs = execution.runs(of: active.sequences)
        let width = scratch.hiddenSize
        for (target, source) in active.rows.enumerated() where target != source {
            (scratch.hidden + target * width).update(from: scratch.hidden + source * width, count: width)
        }
    }
}
