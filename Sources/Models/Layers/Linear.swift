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

extension Execution {
    /// Panels that a thread takes at a time of `panels`, for products with `rows` inputs. A few rows are done at the speed of
    /// memory, and threads that wait for the last one cost most: they take small parts. Products with more take up to four
    /// panels at a time.
    fileprivate func panelShare(_ panels: Int, rows: Int) -> Int {
        rows > 8 ? max(4, (panels / (workers.threadCount * 4) + 3) / 4 * 4) : max(1, panels / (workers.threadCount * 16))
    }
}

extension Linear {
    /// y[t * stride + r] = W[r] · x[t] for the rows t of `runs` and the rows of W in `range`, in parallel.
    /// - Parameters:
    ///   - input: as ``Execution/quantize(_:rows:cols:runs:)`` leaves it.
    ///   - range: all rows by default; a part starts with a whole panel, up to 15 rows earlier than it says.
    ///   - y: addressed as if all rows were written.
    package func apply(
        _ input: Activations, runs: [RowRun], rows range: Range<Int>? = nil, into y: UnsafeMutablePointer<Float>,
        stride: Int, on execution: Execution
    ) {
        let range = range ?? 0..<rows
        let first = range.lowerBound / Self.panelRows
        let last = (range.upperBound + Self.panelRows - 1) / Self.panelRows
        for run in runs {
            let part = execution.panelShare(last - first, rows: run.rows.count)
            execution.workers.run((last - first + part - 1) / part) { index, _ in
                let start = first + index * part
                apply(
                    input, run: run, panels: start..<min(last, start + part), endRow: range.upperBound, into: y,
                    stride: stride, on: execution)
            }
        }
    }

    /// ``apply(_:runs:rows:into:stride:on:)`` of all rows with inputs in 16 bits rather than 8: for the last matrix, whose errors no
    /// later layer damps. The single rows of decode cost little more, since the matrix is read once. It makes the form of the
    /// input that it takes, and replaces the one that is there; there must be room for twice the rows.
    package func applyFinely(
        _ input: Activations, runs: [RowRun], into y: UnsafeMutablePointer<Float>, stride: Int, on execution: Execution
    ) {
        let groups = cols / Self.groupSize
        let half: kl_half
        var product = kl_q4_gemm_int8_pairs
        switch (storage, execution.compute) {
        case (.affine4(let type), .fast): half = type
        case (.affine8(let type), .fast): (half, product) = (type, kl_q8_gemm_int8_pairs)
        default: return apply(input, runs: runs, into: y, stride: stride, on: execution)
        }
        for run in runs {
            guard !run.inTiles else {
                apply(input, runs: [run], into: y, stride: stride, on: execution)
                continue
            }
            execution.workers.run(run.rows.count) { index, _ in
                kl_quantize_input_pairs(
                    execution.isa, input.values + (run.rows.lowerBound + index) * input.stride, 1, cols, input.stride,
                    input.records + Activations.recordBytes(rows: 2 * index, cols: cols), input.scales + 2 * index * groups, input.sums + 2 * index * groups)
            }
            let part = execution.panelShare(panelCount, rows: run.rows.count)
            execution.workers.run((panelCount + part - 1) / part) { index, _ in
                product(
                    execution.isa, half, bytes, rows, cols, index * part, min(panelCount, (index + 1) * part), input.records,
                    input.scales, input.sums, run.rows.count, y + run.rows.lowerBound * stride, stride)
            }
        }
    }

    /// The same for one run and some panels, on this thread; rows from `endRow` on are not written.
    func apply(
        _ input: Activations, run: RowRun, panels range: Range<Int>, endRow: Int, into y: UnsafeMutablePointer<Float>,
        stride: Int, on execution: Execution
    ) {
        let isa = execution.isa
        let row = run.rows.lowerBound
        let count = run.rows.count
        let y = y + row * stride
        let values = input.values + row * input.stride
        let (first, last) = (range.lowerBound, range.upperBound)
        switch (storage, execution.compute) {
        case (.affine4(let half), .fast) where run.inTiles:
            kl_q4_gemm_bf16(isa, half, bytes, endRow, cols, first, last, input.packed, row, count, y, stride)
        case (.affine8(let half), .fast) where run.inTiles:
            kl_q8_gemm_bf16(isa, half, bytes, endRow, cols, first, last, input.packed, row, count, y, stride)
        case (.affine4(let half), .fast):
            let groups = cols / Self.groupSize
            kl_q4_gemm_int8(
                isa, half, bytes, endRow, cols, first, last, input.records + Activations.recordBytes(rows: row, cols: cols),
                input.scales + row * groups, input.sums + row * groups, count, y, stride)
        case (.affine8(let half), .fast):
            let groups = cols / Self.groupSize
            kl_q8_gemm_int8(
                isa, half, bytes, endRow, cols, first, last, input.records + Activations.recordBytes(rows: row, cols: cols),
                input.scales + row * groups, input.sums + row * groups, count, y, stride)
        case (.affine4(let half), .reference):
            kl_q4_gemm_f32(isa, half, bytes, endRow, cols, first, last, values, input.stride, count, y, stride)
        case (.affine8(let half), .reference):
            kl_q8_gemm_f32(isa, half, bytes, endRow, cols, first, last, values, input.stride, count, y, stride)
        case (.dense(let type), _):
            kl_dense_gemm(isa, type, bytes, endRow, cols, first, last, values, input.stride, count, y, stride)
        }
    }
}
