import CKernels
import Models
import Tensors

/// What this machine can do at most, measured: the yardstick of every speed.
public struct Ceilings {
    /// A ceiling and what limits it.
    public enum Kind: String, CaseIterable, Sendable {
        case f32 = "f32 fma"
        case int8 = "int8 dot"
        case tiles = "bf16 tiles"
        case memory = "memory read"
        /// Starting all threads on something and waiting for all of them, one time after another: what every operation
        /// of a step pays at least.
        case region = "parallel region"

        var kernel: kl_ceiling? {
            switch self {
            case .f32: KL_CEILING_F32
            case .int8: KL_CEILING_INT8
            case .tiles: KL_CEILING_TILES
            case .memory, .region: nil
            }
        }

        public var units: String {
            switch self {
            case .memory: "byte/s"
            case .region: "region/s"
            default: "op/s"
            }
        }
    }

    private let execution: Execution
    private let buffer: AlignedBuffer

    /// - Parameter readBytes: what `memory` reads, far more than the caches hold.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public init(execution: Execution, readBytes: Int) throws {
        self.execution = execution
        buffer = try AlignedBuffer(byteCount: readBytes)
        let words: UnsafeMutablePointer<UInt64> = buffer.bound()
        words.update(repeating: 1, count: readBytes / 8)
    }

    /// Operations, bytes or regions per second of all threads together; nil where the instruction set has no such instruction.
    public func measure(_ kind: Kind) -> Double? {
        let threads = execution.workers.threadCount
        let clock = ContinuousClock()
        if kind == .region {
            let regions = 20_000
            let start = clock.now
            for _ in 0..<regions { execution.workers.run(threads) { _, _ in } }
            return Double(regions) / (clock.now - start).seconds
        }
        guard let kernel = kind.kernel else {
            let part = buffer.byteCount / threads / 256 * 256
            let bytes: UnsafeMutablePointer<UInt8> = buffer.bound()
            let start = clock.now
            execution.workers.run(threads) { index, _ in _ = kl_read(execution.isa, bytes + index * part, part) }
            return Double(part * threads) / (clock.now - start).seconds
        }
        var rounds = 1000
        while true {
            let start = clock.now
            let operations = kl_ceiling_run(execution.isa, kernel, rounds)
            guard operations > 0 else { return nil }
            let alone = (clock.now - start).seconds
            if alone > 0.02 {
                let start = clock.now
                execution.workers.run(threads) { _, _ in _ = kl_ceiling_run(execution.isa, kernel, rounds) }
                return operations * Double(threads) / (clock.now - start).seconds
            }
            rounds *= 2
        }
    }
}
