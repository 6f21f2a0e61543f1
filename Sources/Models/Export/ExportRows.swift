import Tensors

/// The rows of a matrix, [rows, cols], one at a time.
protocol MatrixRows: Sendable {
    var rows: Int { get }
    var cols: Int { get }
    /// Row `row` as floats, [cols].
    func decode(row: Int, into out: UnsafeMutablePointer<Float>)
    /// Gives back the mapped memory that the rows lie in; nothing for rows that are drawn.
    func release()
}

extension MatrixRows {
    func release() {}
}

/// The weights to be written to another file, by the names that HuggingFace gives them.
protocol ExportWeights {
    /// What the weights are, for the file's metadata.
    var label: String { get }
    /// - Throws: ``TensorsError/missingTensor(file:tensor:)`` or ``TensorsError/wrongTensor(file:tensor:expected:found:)``.
    func rows(_ matrix: WeightList.Matrix) throws -> any MatrixRows
    func values(_ vector: WeightList.Vector) throws -> [Float]
}

/// A matrix with its rows in another order, or some of them.
struct ReorderedRows: MatrixRows {
    let base: any MatrixRows
    let rows: Int
    var cols: Int { base.cols }
    /// The row of the base that is row `row` here.
    let source: @Sendable (_ row: Int) -> Int

    func decode(row: Int, into out: UnsafeMutablePointer<Float>) { base.decode(row: source(row), into: out) }
    func release() { base.release() }
}

/// Part of every head's rows, turned: [heads · headRows, cols] gives [heads · cols, count].
struct TurnedHeads: MatrixRows {
    let rows: Int
    let cols: Int
    private let turned: AlignedBuffer

    /// - Parameters:
    ///   - headRows: rows of a head in `base`.
    ///   - count: how many of them, from the first on.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    init(_ base: any MatrixRows, headRows: Int, count: Int) throws {
        let heads = base.rows / headRows
        rows = heads * base.cols
        cols = count
        turned = try AlignedBuffer(count: rows * cols, of: Float.self)
        let out: UnsafeMutablePointer<Float> = turned.bound()
        let width = base.cols
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { row in
            for head in 0..<heads {
                for index in 0..<count {
                    base.decode(row: head * headRows + index, into: row.baseAddress!)
                    for column in 0..<width { out[(head * width + column) * count + index] = row[column] }
                }
            }
        }
        base.release()
    }

    func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
        let turned: UnsafeMutablePointer<Float> = turned.bound()
        out.update(from: turned + row * cols, count: cols)
    }
}
