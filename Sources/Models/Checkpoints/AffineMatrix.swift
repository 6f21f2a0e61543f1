import CKernels
import Tensors

/// A matrix that MLX quantized: codes, least significant bits first in 32-bit words, and a scale and a bias per group
/// of 64 columns.
struct AffineMatrix: StoredMatrix {
    /// Where one of the three tensors lies: its file, the offset of row 0, and the bytes of a row.
    struct Plane: Sendable {
        let file: MappedFile
        let start: Int
        let rowBytes: Int

        func row(_ row: Int) -> UnsafeRawPointer { file.bytes.baseAddress! + start + row * rowBytes }

        func release(_ rows: Range<Int>) {
            file.release((start + rows.lowerBound * rowBytes)..<(start + rows.upperBound * rowBytes))
        }
    }

    let tensors: [String]
    let rows: Int
    let cols: Int
    let bits: Int
    let codes: Plane
    let scales: Plane
    let biases: Plane
    /// Type of scales and biases.
    let scaleType: GGMLType

    var file: MappedFile { codes.file }

    var half: kl_half { scaleType.half }
    var storage: Linear.Storage { Self.storage(bits: bits, half: half) }

    /// Type of scales and biases in memory: those of 32 bits are rounded to f16.
    static func half(_ scales: DType) -> kl_half { scales == .bf16 ? KL_BF16 : KL_F16 }
    static func storage(bits: Int, half: kl_half) -> Linear.Storage { bits == 4 ? .affine4(half) : .affine8(half) }

    var byteCount: Int { rows * (codes.rowBytes + scales.rowBytes + biases.rowBytes) }

    private var groups: Int { cols / Linear.groupSize }

    /// w = scale · code + bias in 32-bit arithmetic.
    func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
        var factors = [Float](repeating: 0, count: 2 * groups)
        decodeFactors(row: row, into: &factors)
        let bytes = codes.row(row).assumingMemoryBound(to: UInt8.self)
        for col in 0..<cols {
            let code = bits == 4 ? bytes[col / 2] >> UInt8(col % 2 * 4) & 15 : bytes[col]
            let group = col / Linear.groupSize
            out[col] = factors[group] * Float(code) + factors[groups + group]
        }
    }

    func offset(row: Int, col: Int) -> Int { codes.start + row * codes.rowBytes + col * bits / 8 }

    func release(_ rows: Range<Int>) {
        for plane in [codes, scales, biases] { plane.release(rows) }
    }

    /// Codes, scales and biases as they are where `linear` keeps them so, else by way of floats.
    func fill(
        _ linear: Linear, from start: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) -> BadElement? {
        guard linear.storage == storage || linear.storage == .affine8(half) else {
            return fillDecoded(linear, from: start, rows: rows, scratch: scratch, isa: isa)
        }
        var factors = [Float](repeating: 0, count: 2 * groups)
        var halves = [UInt16](repeating: 0, count: 2 * groups)
        var wide = [UInt8](repeating: 0, count: linear.storage == storage ? 0 : cols)
        for row in rows {
            decodeFactors(row: row, into: &factors)
            let bad = Int(kl_first_beyond(factors, 2 * groups, linear.storage.largestElement))
            guard bad < 0 else {
                return BadElement(row: row, col: bad % groups * Linear.groupSize, value: factors[bad])
            }
            kl_f32_to_half(isa, half, factors, 2 * groups, &halves)
            var bytes = codes.row(row).assumingMemoryBound(to: UInt8.self)
            halves.withUnsafeBufferPointer { halves in
                wide.withUnsafeMutableBufferPointer { wide in
                    if !wide.isEmpty {
                        for col in 0..<cols { wide[col] = bytes[col / 2] >> UInt8(col % 2 * 4) & 15 }
                        bytes = UnsafePointer(wide.baseAddress!)
                    }
                    linear.fill(
                        row: start + row - rows.lowerBound, count: 1, codes: bytes, scales: halves.baseAddress!,
                        biases: halves.baseAddress! + groups)
                }
            }
        }
        return nil
    }

    /// Scales of a row, then its biases.
    private func decodeFactors(row: Int, into out: inout [Float]) {
        out.withUnsafeMutableBufferPointer {
            scaleType.dequantize(scales.row(row), count: groups, into: $0.baseAddress!)
            scaleType.dequantize(biases.row(row), count: groups, into: $0.baseAddress! + groups)
        }
    }
}
