import CKernels
import Tensors

/// How arithmetic is done. Recorded with every result.
public enum Compute: String, Sendable, CaseIterable {
    /// Dequantized 32-bit floating-point arithmetic.
    case reference
    /// Integer dot products on 4-bit weights and 8-bit activations, or for prefill tiles of bfloat16 where the processor
    /// has them; packed caches read in place.
    case fast

    var kernel: kl_compute { self == .reference ? KL_REFERENCE : KL_FAST }
}

/// What runs a model: threads, instruction set, arithmetic.
public struct Execution: Sendable {
    public let workers: WorkerPool
    public let isa: kl_isa
    public let compute: Compute

    public init(workers: WorkerPool, isa: kl_isa = kl_isa_best(), compute: Compute = .fast) {
        self.workers = workers
        self.isa = isa
        self.compute = compute
    }

    /// The instruction set's name, as records and `--isa` spell it.
    public var isaName: String { Self.name(of: isa) }

    /// Instruction sets by the names that `--isa` takes.
    public static let isaNames: [(name: String, isa: kl_isa)] = [
        ("scalar", KL_SCALAR), ("avx2", KL_AVX2), ("avx512", KL_AVX512), ("neon", KL_NEON), ("amx", KL_AMX),
    ]

    public static func name(of isa: kl_isa) -> String { isaNames.first { $0.isa == isa }?.name ?? "unknown" }
}

extension Execution {
    /// The instruction set of a name that `--isa` takes; the best one for nil.
    /// - Throws: ``ModelsError/noInstructionSet(name:available:)`` when there is none, or this machine cannot run it.
    public static func isa(named name: String?) throws -> kl_isa {
        guard let name else { return kl_isa_best() }
        guard let found = isaNames.first(where: { $0.name == name })?.isa, kl_isa_supported(found) else {
            throw ModelsError.noInstructionSet(
                name: name, available: isaNames.filter { kl_isa_supported($0.isa) }.map(\.name))
        }
        return found
    }
}
