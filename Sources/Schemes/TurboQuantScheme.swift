/// TurboQuant: the norm of a row, and the levels of a normal distribution nearest to the elements of its randomly rotated
/// direction. No calibration and no outliers: after the rotation the elements of any row are close to N(0, 1/width).
///
/// | name | what an element takes | what a row takes | variant |
/// |---|---|---|---|
/// | `turboquant-b` | b bits | the norm | mse: least error of the row |
/// | `turboquant-prod-b` | b − 1 bits, and the sign of the rotated residual | two norms | prod: scalar products without bias |
///
/// - Rotation: randomized Hadamard with a fixed seed (``Rotation/random(seed:)``), where the paper has a random orthogonal
///   matrix; that of the residual is another one, where the paper has a Gaussian matrix. Decode attention rotates the query.
/// - Levels: Lloyd–Max of N(0, 1), over √width, where the paper solves for the exact distribution on the sphere. Norms are
///   IEEE half precision: b + 16/width bits per element (prod: b + 32/width). Rotated rows that are normal lose 0.1175 (2 bits),
///   0.0345 (3) and 0.0095 (4) of ‖x‖², held by `TurboQuantTests`. A row whose rotation is far from normal loses more.
/// - Source: https://arxiv.org/abs/2504.19874, algorithms 1 and 2; QJL, https://arxiv.org/abs/2406.03482.
public enum TurboQuantScheme {
    /// Lloyd–Max levels of N(0, 1) for 1 to 4 bits, the positive ones.
    private static let positiveLevels: [[Float]] = [
        [0.7979],
        [0.4528, 1.510],
        [0.2451, 0.7560, 1.344, 2.152],
        [0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733],
    ]
    private static let rotation = Rotation.random(seed: 2504_19874)
    private static let residualRotation = Rotation.random(seed: 2406_03482)

    public static let all: [RotatedScheme] =
        (2...4).map { mse(bits: $0) } + (2...4).map { prod(bits: $0) }

    private static func mse(bits: Int) -> RotatedScheme {
        rotated(
            "turboquant-\(bits)", bits: bits, residual: nil,
            "TurboQuant mse, \(bits) bits: norm, randomized Hadamard, Lloyd-Max levels")
    }

    private static func prod(bits: Int) -> RotatedScheme {
        rotated(
            "turboquant-prod-\(bits)", bits: bits - 1, residual: residualRotation,
            "TurboQuant prod, \(bits) bits: the mse variant with \(bits - 1), and signs of the rotated residual (QJL)")
    }

    private static func rotated(_ name: String, bits: Int, residual: Rotation?, _ summary: String) -> RotatedScheme {
        let positive = positiveLevels[bits - 1]
        return RotatedScheme(
            name: name, summary: summary, rotation: rotation,
            inner: CodebookScheme(
                name: name, summary: summary, bits: bits, levels: positive.reversed().map { -$0 } + positive,
                residual: residual))
    }
}
