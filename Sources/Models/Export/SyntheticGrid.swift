import CKernels
import Tensors

/// Weights drawn from a seed that Q4_0, MLX's affine 4 bits in groups of 64, F16 and F32 all hold without a change, so
/// that every program runs the very same model whatever it keeps it in.
///
/// Every weight is scale · (code − 8): a scale of 8 significant bits for each 64 columns, codes 0...15. Every block of
/// 32 columns has a code 0 and a code 15 at random places, so that quantizers find the same scale again; the others are
/// random in 1...15. For speed and memory, never for quality. Held by `ExportTests.gridIsExact`.
struct SyntheticGrid: ExportWeights {
    let seed: UInt64

    var label: String { "synthetic grid seed \(seed)" }

    func rows(_ matrix: WeightList.Matrix) -> any MatrixRows {
        Rows(rows: matrix.rows, cols: matrix.cols, stream: SyntheticWeights.stream(seed, matrix.name))
    }

    func values(_ vector: WeightList.Vector) -> [Float] {
        SyntheticWeights.vector(vector.name, count: vector.count, seed: seed)
    }

    struct Rows: MatrixRows {
        let rows: Int
        let cols: Int
        let stream: UInt64

        private static let block = 32
        /// Bytes drawn for a block: its codes, two places, and the scale's spread, in whole words.
        private static let blockBytes = 24
        /// Standard deviation of the codes of a block.
        private static let deviation: Float = 4.46

        func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
            let blocks = (cols + Self.block - 1) / Self.block
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blocks * Self.blockBytes) { bytes in
                kl_random_bytes(stream, UInt64(row * bytes.count), bytes.baseAddress!, bytes.count)
                var scale: Float = 0
                for block in 0..<blocks {
                    let drawn = bytes.baseAddress! + block * Self.blockBytes
                    if block % 2 == 0 {
                        let spread = 0.7 + 0.6 * Float(drawn[18]) / 255
                        scale = Float(bitPattern: (spread / (Self.deviation * Float(cols).squareRoot())).bitPattern & 0xffff_0000)
                    }
                    let lowest = Int(drawn[16]) % Self.block
                    let highest = (lowest + 1 + Int(drawn[17]) % (Self.block - 1)) % Self.block
                    for index in 0..<min(Self.block, cols - block * Self.block) {
                        let code = Int(drawn[index / 2] >> UInt8(index % 2 * 4) & 15)
                        // Code 0 is the mark's alone.
                        let centred = index == lowest ? -8 : index == highest ? 7 : code == 0 ? 0 : code - 8
                        out[block * Self.block + index] = scale * Float(centred)
                    }
                }
            }
        }
    }
}
