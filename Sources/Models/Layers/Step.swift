import Caches

/// One step on its way through the layers.
final class Step {
    let execution: Execution
    let scratch: StepScratch
    let rows: StepRows
    /// The rows at work: all of them, until the last layer keeps only those whose logits are wanted.
    private(set) var active: StepRows.Selection

    init(execution: Execution, scratch: StepScratch, rows: StepRows) {
        self.execution = execution
        self.scratch = scratch
        self.rows = rows
        active = rows.all
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
