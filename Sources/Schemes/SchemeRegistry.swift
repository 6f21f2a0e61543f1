import CKernels
import Tensors

/// All schemes there are, by name. A new scheme adds one line here.
public enum SchemeRegistry {
    public static let all: [any KVScheme] =
        [Float32Scheme(), HalfScheme.fp16, HalfScheme.bf16]
        + [2, 3, 4, 5, 6, 8].flatMap { bits in [32, 64, 128].map { AffineScheme(bits: bits, groupSize: $0) } }
        + [AffineScheme(bits: 4, groupSize: 64, half: KL_F16)]
        + GGMLScheme.all

    /// - Throws: ``SchemeError/unknown(name:nearest:available:)``, with the nearest name there is.
    public static func scheme(named name: String) throws -> any KVScheme {
        if let scheme = all.first(where: { $0.name == name }) { return scheme }
        let names = all.map(\.name)
        throw SchemeError.unknown(name: name, nearest: nearestName(to: name, in: names), available: names)
    }
}
