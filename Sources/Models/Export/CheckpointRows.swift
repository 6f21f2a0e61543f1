import Tensors

/// The weights of a checkpoint, row by row.
struct CheckpointRows: ExportWeights {
    let checkpoint: Checkpoint

    var label: String { checkpoint.label(bits: nil) }

    func rows(_ matrix: WeightList.Matrix) throws -> any MatrixRows {
        try checkpoint.tensors.matrix(matrix.name, rows: matrix.rows, cols: matrix.cols)
    }

    func values(_ vector: WeightList.Vector) throws -> [Float] {
        let (row, shift) = try checkpoint.tensors.vector(vector.name, count: vector.count)
        var values = [Float](repeating: 0, count: vector.count)
        values.withUnsafeMutableBufferPointer { row.decode(row: 0, into: $0.baseAddress!) }
        return shift == 0 ? values : values.map { $0 + shift }
    }
}
