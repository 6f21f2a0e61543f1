import CKernels
import Tensors

/// A weight matrix in panels of 16 rows, in one of several storage types; the layouts are in `CKernels.h`.
///
/// W: [rows, cols]; x: [tokens, cols] f32 → y: [tokens, rows] f32.
public final class Linear: Sendable {
    /// How elements are kept.
    public enum Storage: Sendable, Equatable {
        /// Affine codes of 4 bits, groups of 64 columns, scales and biases of the given type.
        case affine4(kl_half)
        /// The same with codes of 8 bits.
        case affine8(kl_half)
        /// Floats of 16 or 32 bits.
        case dense(kl_dense)
    }

    public let rows: Int
    public let cols: Int
    public let storage: Storage
    private let panels: AlignedBuffer

    /// Rows of a panel; matrices are padded to whole panels.
    static let panelRows = Int(KL_PANEL_ROWS)
    /// Columns that share a scale.
    static let groupSize = Int(KL_GROUP)

    /// Zeroed panels, to be filled before anybody reads them.
    /// - Precondition: `cols` is a multiple of 64 unless the storage is dense.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    package init(rows: Int, cols: Int, storage: Storage) throws {
        precondition(Self.canHold(cols: cols, storage), "\(cols) columns are not whole groups of \(Self.groupSize)")
        self.rows = rows
        self.cols = cols
        self.storage = storage
        panels = try AlignedBuffer(byteCount: Self.byteCount(rows: rows, cols: cols, storage: storage))
    }

    /// Can rows of `cols` columns be kept this way?
    package static func canHold(cols: Int, _ storage: Storage) -> Bool {
        if case .dense = storage { true } else { cols % groupSize == 0 }
    }

    /// Bytes of a matrix in panels.
    static func byteCount(rows: Int, cols: Int, storage: Storage) -> Int {
        let panelBytes =
            switch storage {
            case .affine4: cols / groupSize * Int(KL_Q4_RECORD)
            case .affine8: cols / groupSize * Int(KL_Q8_RECORD)
            case .dense(let type): cols * panelRows * (type == KL_DENSE_F32 ? 4 : 2)
            }
        return (rows + panelRows - 1) / panelRows * panelBytes
    }

    var panelCount: Int { (rows + Self.panelRows - 1) / Self.panelRows }
    /// The panels' memory.
    var bytes: UnsafeMutablePointer<UInt8> { panels.bound() }
    public var byteCount: Int { panels.byteCount }

    /// Row `row` as floats, [cols]: the look-up of an embedding.
    package func dequantize(row: Int, into out: UnsafeMutablePointer<Float>) {
        switch storage {
        case .affine4(let half): kl_q4_unpack_row(half, bytes, row, cols, out)
        case .affine8(let half): kl_q8_row(half, bytes, row, cols, out)
        case .dense(let type): kl_dense_row(type, bytes, row, cols, out)
        }
    }
}

extension Linear {
    /// y[t * stride + r] = W[r] · x[t] for `tokens` rows of `input` and the rows of W in `range`, in parallel.
    /// - Parameters:
    ///   - input: quantized by ``Execution/quantize(_:rows:cols:)`` where the fast path wants it.
    ///   - range: all rows by default; a part starts with a whole panel, up to 15 rows earlier than it says.
    ///   - y: addressed as if all rows were written.
    package func apply(
        _ input: Activations, tokens: Int, rows range: Range<Int>? = nil, into y: UnsafeMutablePointer<Float>,
        stride: Int, on execution: Execution
    ) {
        let range = range ?? 0..<rows
        let first = range.lowerBound / Self.panelRows
        let last = (range.upperBound + Self.panelRows - 1) / Self.panelRows
        let part = max(1, (last - first) / (execution.workers.threadCount * 4))
        execution.workers.run((last - first + part - 1) / part) { index, _ in
            let start = first + index * part
            apply(
                input, tokens: tokens, panels: start..<min(last, start + part), endRow: range.upperBound, into: y,
                stride: stride, on: execution)
        }
    }

    /// The same for some panels, on this thread; rows from `endRow` on are not written.
    func apply(
        _ input: Activations, tokens: Int, panels range: Range<Int>, endRow: Int, into y: UnsafeMutablePointer<Float>,
        stride: Int, on execution: Execution
    ) {
        let isa = execution.isa
        switch (storage, execution.compute) {
        case (.affine4(let half), .fast):
            kl_q4_gemm_int8(
                isa, half, bytes, endRow, cols, range.lowerBound, range.upperBound, input.codes, input.scales,
                input.sums, tokens, y, stride)
        case (.affine4(let half), .reference):
            kl_q4_gemm_f32(
                isa, half, bytes, endRow, cols, range.lowerBound, range.upperBound, input.values, input.stride, tokens,
                y, stride)
        case (.affine8(let half), .fast):
            kl_q8_gemm_int8(
                isa, half, bytes, endRow, cols, range.lowerBound, range.upperBound, input.codes, input.scales,
                input.sums, tokens, y, stride)
        case (.affine8(let half), .reference):
            kl_q8_gemm_f32(
                isa, half, bytes, endRow, cols, range.lowerBound, range.upperBound, input.values, input.stride, tokens,
                y, stride)
        case (.dense(let type), _):
            kl_dense_gemm(
                isa, type, bytes, endRow, cols, range.lowerBound, range.upperBound, input.values, input.stride, tokens,
                y, stride)
        }
    }
}
