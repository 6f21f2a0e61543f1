import CKernels
import Tensors

/// Weights drawn from a seed, directly in 4 bits: for speed and memory, never for quality.
///
/// Codes are uniform; scales are such that a product keeps the variance of its input, with a spread of a factor 2.
/// Element values depend on the seed, the matrix's name and the position only.
public struct SyntheticWeights: WeightSource {
    public let seed: UInt64
    private let execution: Execution

    public init(seed: UInt64, execution: Execution) {
        self.seed = seed
        self.execution = execution
    }

    public var label: String { "synthetic q4-g64 seed \(seed)" }

    public func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear {
        let linear = try Linear(rows: matrices.reduce(0) { $0 + $1.rows }, cols: cols, storage: .affine4(KL_BF16))
        let groups = cols / Linear.groupSize
        let recordBytes = Int(KL_Q4_RECORD)
        let codeBytes = Linear.panelRows * Linear.groupSize / 2
        let stream = Self.stream(seed, matrices.map(\.name).joined(separator: "+"))
        // Uniform codes 0...15 have a standard deviation of 4.61.
        let scale = 1 / (4.61 * Float(cols).squareRoot())
        execution.workers.run(linear.panelCount) { panel, _ in
            for group in 0..<groups {
                let index = panel * groups + group
                let record = linear.bytes + index * recordBytes
                kl_random_bytes(stream, UInt64(index * codeBytes), record, codeBytes)
                let spread = 0.7 + 0.6 * Float(record[0]) / 255
                let scaleBits = Self.bfloat16(scale * spread)
                let biasBits = Self.bfloat16(-7.5 * scale * spread)
                let halves = UnsafeMutableRawPointer(record + codeBytes).assumingMemoryBound(to: UInt16.self)
                for row in 0..<Linear.panelRows {
                    halves[row] = scaleBits
                    halves[Linear.panelRows + row] = biasBits
                }
            }
        }
        return linear
    }

    public func vector(_ name: String, count: Int) -> [Float] { Self.vector(name, count: count, seed: seed) }

    /// Between 0.9 and 1.1.
    static func vector(_ name: String, count: Int, seed: UInt64) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: count)
        kl_random_bytes(stream(seed, name), 0, &bytes, count)
        return bytes.map { 0.9 + 0.2 * Float($0) / 255 }
    }

    private static func bfloat16(_ x: Float) -> UInt16 { UInt16(truncatingIfNeeded: x.bitPattern >> 16) }

    /// The seed of a tensor's random numbers: FNV-1a of its name, from the seed of all.
    static func stream(_ seed: UInt64, _ name: String) -> UInt64 {
        name.utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
