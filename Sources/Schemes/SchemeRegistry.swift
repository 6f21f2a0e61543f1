import CKernels
import Tensors

/// All schemes there are, by name. A new scheme adds one line here.
public enum SchemeRegistry {
    public static let all: [any KVScheme] = families.flatMap { $0 }

    private static let families: [[any KVScheme]] = [
        [Float32Scheme(), HalfScheme.fp16, HalfScheme.bf16],
        [2, 3, 4, 5, 6, 8].flatMap { bits in [32, 64, 128].map { AffineScheme(bits: bits, groupSize: $0) } },
        [AffineScheme(bits: 4, groupSize: 64, half: KL_F16)],
        GGMLScheme.all,
        [FP8Scheme.e4m3, FP8Scheme.e5m2],
        [MXFP4Scheme()],
        [NVFP4Scheme.plain, NVFP4Scheme.scaledRows],
        TurboQuantScheme.all,
        [KIVIScheme(bits: 4), KIVIScheme(bits: 2)],
        KVQuantScheme.all,
        [ZipCacheScheme()],
        [AbsmaxScheme()],
    ]

    /// Schemes around any of the others, by what stands before the bracket. A new wrapper adds one line here.
    public static let wrappers: [SchemeWrapper] = [
        HadamardScheme.wrappers,
        [QueryRoundingScheme.wrapper, PairsScheme.wrapper],
        [MixedScheme.wrapper],
    ].flatMap { $0 }

    /// The scheme of a name without brackets; nil where there is none.
    static func single(named name: some StringProtocol) throws -> (any KVScheme)? {
        if name.hasPrefix(PythonScheme.prefix) { return try PythonScheme.open(name.dropFirst(PythonScheme.prefix.count)) }
        return all.first { $0.name == name } ?? KVQuantScheme.recorded(name)
    }

    /// The scheme of a name, or of `wrapper(name)`.
    /// - Throws: ``SchemeError/unknown(name:nearest:available:)``, with the nearest name there is, or
    ///   ``SchemeError/malformed(expression:position:problem:)`` for what is wrong with a wrapper or in its brackets,
    ///   or ``SchemeError/python(file:problem:)``.
    public static func scheme(named name: String) throws -> any KVScheme {
        if let scheme = try single(named: name) { return scheme }
        if name.contains(where: { "()".contains($0) }) || wrappers.contains(where: { $0.name == name }) {
            return try SchemeName(name).scheme()
        }
        let names = all.map(\.name)
        throw SchemeError.unknown(name: name, nearest: nearestName(to: name, in: names), available: names)
    }
}
