import CKernels
import Tensors

/// A weight matrix in 4 bits, affine, groups of 64, in the panel layout of `CKernels.h`.
///
/// W: [rows, cols] q4; x: [tokens, cols] f32 → y: [tokens, rows] f32.
public final class Linear: Sendable {
    public let rows: Int
    public let cols: Int
    /// Type of scales and biases.
    let half: kl_half
    private let panels: AlignedBuffer

    /// Rows of a panel; matrices are padded to whole panels.
    static let panelRows = Int(KL_PANEL_ROWS)
    /// Columns that share a scale.
    static let groupSize = Int(KL_GROUP)

    /// Zeroed panels, to be filled by `fill` before anybody reads them.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    init(rows: Int, cols: Int, half: kl_half) throws {
        precondition(cols % Self.groupSize == 0)
        self.rows = rows
        self.cols = cols
        self.half = half
        panels = try AlignedBuffer(byteCount: Self.byteCount(rows: rows, cols: cols))
    }

    /// Bytes of a matrix in panels.
    static func byteCount(rows: Int, cols: Int) -> Int {
        (rows + panelRows - 1) / panelRows * (cols / groupSize) * Int(KL_Q4_RECORD)
    }

    var panelCount: Int { (rows + Self.panelRows - 1) / Self.panelRows }
    var bytes: UnsafeMutablePointer<UInt8> { panels.bound() }
    public var byteCount: Int { panels.byteCount }

    /// Row `row`, dequantized: the look-up of an embedding.
    func dequantize(row: Int, into out: UnsafeMutablePointer<Float>) {
        kl_q4_unpack_row(half, bytes, row, cols, out)
    }

    /// y[t, r - firstRow] for r in `firstRow ..< lastRow`, both whole panels (or the end).
    /// - Parameter input: `tokens` rows prepared by ``Execution/prepare(_:rows:)``.
    func apply(
        _ input: Activations, tokens: Int, rows range: Range<Int>? = nil, into y: UnsafeMutablePointer<Float>,
        stride: Int, on execution: Execution
    ) {
        let range = range ?? 0..<rows
        let first = range.lowerBound / Self.panelRows
        let last = (range.upperBound + Self.panelRows - 1) / Self.panelRows
        let part = max(1, (last - first) / (execution.workers.threadCount * 4))
        let y = y - range.lowerBound
        execution.workers.run((last - first + part - 1) / part) { index, _ in
            let panel0 = first + index * part
            let panel1 = min(last, panel0 + part)
            switch execution.compute {
            case .fast:
                kl_q4_gemm_int8(
                    execution.isa, half, bytes, range.upperBound, cols, panel0, panel1, input.codes, input.scales,
                    input.sums, tokens, y, stride)
            case .reference:
                kl_q4_gemm_f32(
                    execution.isa, half, bytes, range.upperBound, cols, panel0, panel1, input.values, input.stride,
                    tokens, y, stride)
            }
        }
    }
}

/// Rows that go into a matrix product: floats, and for the fast path their 8-bit form.
struct Activations {
    let values: UnsafeMutablePointer<Float>
    let stride: Int
    let codes: UnsafeMutablePointer<Int8>
    let scales: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Float>

    /// The rows from `row` on.
    func dropping(_ row: Int, cols: Int) -> Activations {
        let groups = cols / Linear.groupSize
        return Activations(
            values: values + row * stride, stride: stride, codes: codes + row * cols, scales: scales + row * groups,
            sums: sums + row * groups)
    }
}

extension Execution {
    /// Quantizes rows `rows` of `input`, each `cols` wide, where the fast path needs it. Runs inside a region.
    func quantize(_ input: Activations, rows: Range<Int>, cols: Int) {
        guard compute == .fast else { return }
        let part = input.dropping(rows.lowerBound, cols: cols)
        kl_quantize_activations(isa, part.values, rows.count, cols, input.stride, part.codes, part.scales, part.sums)
    }

    /// Calls `body` on chunks of `rows` rows in parallel.
    func forEachChunk(of rows: Int, _ body: (Range<Int>) -> Void) {
        let part = 16
        workers.run((rows + part - 1) / part) { index, _ in body(index * part..<min(rows, (index + 1) * part)) }
    }
}
