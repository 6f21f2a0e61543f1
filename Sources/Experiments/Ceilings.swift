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

    /// Times that a ceiling is measured. The best one counts: what slows the others down is not the machine.
    private static let samples = 5
    /// Bytes that a thread reads at a time, few enough that none waits long for the last one.
    private static let readPart = 1 << 20

    /// Operations, bytes or regions per second of all threads together; nil where the instruction set has no such instruction.
    public func measure(_ kind: Kind) -> Double? {
        if let kernel = kind.kernel {
            guard let rounds = rounds(of: kernel) else { return nil }
            let operations = kl_ceiling_run(execution.isa, kernel, rounds) * Double(execution.workers.threadCount)
            return best(of: operations) {
                inAllThreads { _ = kl_ceiling_run(execution.isa, kernel, rounds) }
            }
        }
        if kind == .memory {
            let parts = buffer.byteCount / Self.readPart
            let bytes: UnsafeMutablePointer<UInt8> = buffer.bound()
            // Some processors foresee a stream best when they are left alone, others when they are told.
            return [0, 4096].map { ahead in
                best(of: Double(parts * Self.readPart)) {
                    execution.workers.run(parts) { index, _ in
                        _ = kl_read(execution.isa, bytes + index * Self.readPart, Self.readPart, ahead)
                    }
                }
            }.max()
        }
        let regions = 4000
        return best(of: Double(regions)) {
            for _ in 0..<regions { inAllThreads {} }
        }
    }

    private func inAllThreads(_ body: () -> Void) {
        execution.workers.run(execution.workers.threadCount) { _, _ in body() }
    }

    /// The highest rate of `amount` per second.
    private func best(of amount: Double, _ body: () -> Void) -> Double {
        amount / (0..<Self.samples).map { _ in seconds(body) }.min()!
    }

    /// Rounds that take one thread some hundredths of a second; nil where there is no such instruction.
    private func rounds(of kernel: kl_ceiling) -> Int? {
        var rounds = 1000
        while true {
            var operations = 0.0
            let took = seconds { operations = kl_ceiling_run(execution.isa, kernel, rounds) }
            if operations == 0 { return nil }
            if took > 0.02 { return rounds }
            rounds *= 2
        }
    }

    private func seconds(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        body()
        return (clock.now - start).seconds
    }
}
