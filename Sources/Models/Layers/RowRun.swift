import CKernels

/// Neighbouring rows of a step that go through a matrix in the same way.
///
/// Rows of a sequence that has several in the step (prefill) are multiplied in bfloat16 where the processor has tiles;
/// single rows (decode) as everywhere else. So a row's result depends on its own sequence only, never on what else is in
/// the step.
package struct RowRun: Sendable {
    package let rows: Range<Int>
    /// Are the products done with tiles of bfloat16?
    package let inTiles: Bool

    package init(rows: Range<Int>, inTiles: Bool) {
        self.rows = rows
        self.inTiles = inTiles
    }
}

extension Execution {
    /// Has the fast path tiles?
    package var hasTiles: Bool { compute == .fast && isa == KL_AMX }

    /// The runs of the rows of `sequences`, which lie one after another.
    func runs(of sequences: [CachedAttention.Sequence]) -> [RowRun] {
        var runs: [RowRun] = []
        for sequence in sequences {
            let inTiles = hasTiles && sequence.count > 1
            let end = sequence.firstRow + sequence.count
            if let last = runs.last, last.inTiles == inTiles {
                runs[runs.count - 1] = RowRun(rows: last.rows.lowerBound..<end, inTiles: inTiles)
            } else {
                runs.append(RowRun(rows: sequence.firstRow..<end, inTiles: inTiles))
            }
        }
        return runs
    }
}
