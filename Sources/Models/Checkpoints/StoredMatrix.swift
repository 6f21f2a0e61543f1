import CKernels
import Tensors

/// A matrix of a checkpoint where it lies in its file, [rows, cols], read some rows at a time.
protocol StoredMatrix: MatrixRows {
    var file: MappedFile { get }
    /// The file's tensors that it is made of; the first is what errors name.
    var tensors: [String] { get }
    /// Its bytes in the file.
    var byteCount: Int { get }
    /// What keeps it as it is or, for GGML blocks, which no storage keeps, what holds their values best.
    var storage: Linear.Storage { get }

    /// Offset in the file of the block that holds an element.
    func offset(row: Int, col: Int) -> Int
    /// Gives back the mapped memory of `rows`.
    func release(_ rows: Range<Int>)
    /// Rows `rows` into `linear` from row `start` on.
    /// - Parameter scratch: [rows.count, cols] floats.
    /// - Returns: the first element that is not finite or does not fit, if there is one.
    func fill(
        _ linear: Linear, from start: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) -> BadElement?
}

/// An element that cannot be used, by its place in the matrix.
struct BadElement {
    let row: Int
    let col: Int
    let value: Float
}

extension StoredMatrix {
    func release() { release(0..<rows) }

    func fill(
        _ linear: Linear, from start: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) -> BadElement? {
        fillDecoded(linear, from: start, rows: rows, scratch: scratch, isa: isa)
    }

    /// ``fill(_:from:rows:scratch:isa:)`` by way of floats.
    func fillDecoded(
        _ linear: Linear, from start: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) -> BadElement? {
        for row in rows { decode(row: row, into: scratch + (row - rows.lowerBound) * cols) }
        let bad = Int(kl_first_beyond(scratch, rows.count * cols, linear.storage.largestElement))
        guard bad < 0 else {
            return BadElement(row: rows.lowerBound + bad / cols, col: bad % cols, value: scratch[bad])
        }
        linear.fill(row: start, count: rows.count, from: KL_DENSE_F32, scratch, isa: isa)
        return nil
    }
}

extension Linear.Storage {
    /// The largest magnitude that its 16-bit floats hold.
    var largestElement: Float {
        switch self {
        case .affine4(KL_F16), .affine8(KL_F16), .dense(KL_DENSE_F16): 65504
        case .dense(KL_DENSE_F32): .greatestFiniteMagnitude
        default: Float(bitPattern: 0x7f7f_0000)
        }
    }

    /// "q4-g64", "bf16".
    var name: String {
        switch self {
        case .affine4: "q4-g\(Linear.groupSize)"
        case .affine8: "q8-g\(Linear.groupSize)"
        case .dense(KL_DENSE_F16): "f16"
        case .dense(KL_DENSE_BF16): "bf16"
        case .dense: "f32"
        }
    }

    /// What keeps matrices of both storages without a change: 4-bit codes are 8-bit codes too, and 32-bit floats hold
    /// all of them.
    func joined(with other: Self) -> Self {
        switch (self, other) {
        case _ where self == other: self
        case (.affine4(let a), .affine8(let b)) where a == b: .affine8(a)
        case (.affine8(let a), .affine4(let b)) where a == b: .affine8(a)
        default: .dense(KL_DENSE_F32)
        }
    }
}
