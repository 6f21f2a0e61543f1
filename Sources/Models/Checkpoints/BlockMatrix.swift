import CKernels
import Tensors

/// A matrix of floats or GGML blocks, row after row.
struct BlockMatrix: StoredMatrix {
    /// Where a row of the matrix lies.
    enum Order: Sendable {
        case plain
        /// Heads of `width` rows whose rotated pairs (i, i + width/2) lie side by side.
        case interleaved(width: Int)
    }

    let file: MappedFile
    let tensors: [String]
    let type: GGMLType
    /// Offset of row 0 in the file.
    let start: Int
    let rows: Int
    let cols: Int
    var order = Order.plain
    /// 16-bit type for blocks that no storage keeps.
    let half: kl_half

    var storage: Linear.Storage { type.storage(half: half) }

    var byteCount: Int { rows * rowBytes }

    private var rowBytes: Int { cols / type.block.elements * type.block.bytes }

    private func rowOffset(_ row: Int) -> Int {
        switch order {
        case .plain: return start + row * rowBytes
        case .interleaved(let width):
            let inHead = row % width
            return start + (row - inHead + inHead % (width / 2) * 2 + inHead / (width / 2)) * rowBytes
        }
    }

    func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
        type.dequantize(file.bytes.baseAddress! + rowOffset(row), count: cols, into: out)
    }

    func offset(row: Int, col: Int) -> Int {
        rowOffset(row) + col / type.block.elements * type.block.bytes
    }

    func release(_ rows: Range<Int>) {
        switch order {
        case .plain: file.release((start + rows.lowerBound * rowBytes)..<(start + rows.upperBound * rowBytes))
        case .interleaved(let width):
            let first = rows.lowerBound / width * width
            let last = (rows.upperBound + width - 1) / width * width
            file.release((start + first * rowBytes)..<(start + last * rowBytes))
        }
    }
}

extension GGMLType {
    /// What keeps elements of this type: themselves, or 16-bit floats for quantized blocks.
    func storage(half: kl_half) -> Linear.Storage {
        switch self {
        case .f32: .dense(KL_DENSE_F32)
        case .f16: .dense(KL_DENSE_F16)
        case .bf16: .dense(KL_DENSE_BF16)
        default: .dense(half == KL_F16 ? KL_DENSE_F16 : KL_DENSE_BF16)
        }
    }

    /// The same floats in safetensors; nil for everything else.
    init?(_ dtype: DType) {
        switch dtype {
        case .f32: self = .f32
        case .f16: self = .f16
        case .bf16: self = .bf16
        default: return nil
        }
    }

    /// The 16-bit type that is nearest to it.
    var half: kl_half { self == .bf16 ? KL_BF16 : KL_F16 }
}
