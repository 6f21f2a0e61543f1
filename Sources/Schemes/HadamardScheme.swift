/// `hadamard-B(X)`: scheme X on rows whose every B elements went through an orthonormal Walsh–Hadamard transform.
///
/// Keys are rotated after rotary embedding and queries with them, so scores stay as they are; values are rotated back on
/// the output. Bytes are those of X. Error: of every B elements, √Σ│x − x̂│² is what X makes it on the rotated ones.
/// - Source: QuaRot (https://arxiv.org/abs/2404.00456), SAW-INT4 (https://arxiv.org/abs/2604.19157); llama.cpp rotates
///   quantized caches by default. Here no weights are changed, so every checkpoint will do.
public enum HadamardScheme {
    public static let blockSizes = [16, 32, 64, 128]

    /// - Precondition: `block` is one of ``blockSizes``.
    public static func scheme(block: Int, inner: any KVScheme) -> RotatedScheme {
        precondition(blockSizes.contains(block))
        return RotatedScheme(
            name: "hadamard-\(block)(\(inner.name))",
            summary: "Walsh–Hadamard over \(block) elements, then: \(inner.summary)", rotation: .hadamard(block: block),
            inner: inner)
    }

    static let wrappers = blockSizes.map { block in
        SchemeWrapper(
            name: "hadamard-\(block)", summary: "any scheme X after a Walsh–Hadamard transform of every \(block) elements"
        ) { inner in
            guard !inner.needsCalibration else {
                throw SchemeWrapper.Problem(argument: 0, text: "'\(inner.name)' is calibrated on rows that are not rotated")
            }
            return scheme(block: block, inner: inner)
        }
    }
}
