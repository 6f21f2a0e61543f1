import CKernels
import Tensors

/// `kv_b_proj` of multi-head latent attention, [heads · (keyWidth + valueWidth), rank], put together from the halves
/// that newer GGUF files hold: keys transposed, [heads, rank, keyWidth], and values, [heads, valueWidth, rank].
struct LatentMatrix: StoredMatrix {
    private let keys: BlockMatrix
    private let values: BlockMatrix
    private let keyWidth: Int
    private let valueWidth: Int
    /// The keys turned back, [heads, keyWidth, rank] f32.
    private let turned: AlignedBuffer

    /// - Parameters:
    ///   - keys: [heads · rank, keyWidth]
    ///   - values: [heads · valueWidth, rank]
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    init(heads: Int, keys: BlockMatrix, values: BlockMatrix) throws {
        let rank = values.cols
        precondition(keys.rows == heads * rank && values.rows % heads == 0)
        self.keys = keys
        self.values = values
        keyWidth = keys.cols
        valueWidth = values.rows / heads
        turned = try AlignedBuffer(count: keys.rows * keys.cols, of: Float.self)
        let out: UnsafeMutablePointer<Float> = turned.bound()
        var row = [Float](repeating: 0, count: keyWidth)
        for index in 0..<keys.rows {
            row.withUnsafeMutableBufferPointer { keys.decode(row: index, into: $0.baseAddress!) }
            let (head, component) = index.quotientAndRemainder(dividingBy: rank)
            for key in 0..<keyWidth { out[(head * keyWidth + key) * rank + component] = row[key] }
        }
        keys.release(0..<keys.rows)
    }

    var file: MappedFile { keys.file }
    var tensors: [String] { keys.tensors + values.tensors }
    var rows: Int { values.rows / valueWidth * (keyWidth + valueWidth) }
    var cols: Int { values.cols }
    var storage: Linear.Storage { keys.storage.joined(with: values.storage) }

    var byteCount: Int { keys.byteCount + values.byteCount }

    private func place(_ row: Int) -> (head: Int, inHead: Int) {
        let (head, inHead) = row.quotientAndRemainder(dividingBy: keyWidth + valueWidth)
        return (head, inHead)
    }

    func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
        let (head, inHead) = place(row)
        if inHead < keyWidth {
            let turned: UnsafeMutablePointer<Float> = turned.bound()
            out.update(from: turned + (head * keyWidth + inHead) * cols, count: cols)
        } else {
            values.decode(row: head * valueWidth + inHead - keyWidth, into: out)
        }
    }

    func offset(row: Int, col: Int) -> Int {
        let (head, inHead) = place(row)
        return inHead < keyWidth
            ? keys.offset(row: head * cols + col, col: inHead)
            : values.offset(row: head * valueWidth + inHead - keyWidth, col: 0)
    }

    func release(_ rows: Range<Int>) { values.release(0..<values.rows) }
}
