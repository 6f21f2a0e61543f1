import CKernels

/// Rows in NVFP4: blocks of 16 elements in E2M1 (0, ½, 1, 1½, 2, 3, 4, 6 and their negatives) under a scale in E4M3.
///
/// NVIDIA's format has one more scale, a 32-bit float for the whole tensor, so that the block scales lie well within E4M3. A
/// cache has no whole tensor: its rows come one after another. `nvfp4` takes 1, as a deployment without calibration does:
/// 4.5 bits, and blocks whose largest value is below 0.094 have subnormal scales. `nvfp4-row` keeps one for each token and
/// head, max│x│/2688 of the row: 4.5 + 32/width bits, and no row is too small or too large.
///
/// - Layout: codes, two in a byte, the first in the low nibble; then a byte of scale for each block; then, of `nvfp4-row`,
///   the row's scale u in 32 bits. The scale s of a block is max│x│/(6·u), a code is x/(u·s), both rounded to nearest, ties to
///   even: │x − x̂│ ≤ max(│x│, 17/16·max│x│/6)/4 + 6·2⁻¹⁰·u. A block with an infinity or NaN has scale NaN.
/// - Source: NVIDIA, Introducing NVFP4
///   (https://developer.nvidia.com/blog/introducing-nvfp4-for-efficient-and-accurate-low-precision-inference/). The bytes are
///   those of that algorithm with the types of ml_dtypes, held by `SmallFloatSchemeTests`; the bound by
///   `SchemeConformanceTests`.
public struct NVFP4Scheme: KVScheme {
    public let name: String
    public let summary: String
    private let hasRowScale: Bool
    /// Elements of a block.
    public static let blockSize = 16

    public static let plain = NVFP4Scheme(hasRowScale: false)
    public static let scaledRows = NVFP4Scheme(hasRowScale: true)

    private init(hasRowScale: Bool) {
        self.hasRowScale = hasRowScale
        name = hasRowScale ? "nvfp4-row" : "nvfp4"
        summary =
            "NVIDIA NVFP4: E2M1, a scale in E4M3 for each 16 elements, "
            + (hasRowScale ? "one in 32 bits for each row" : "a tensor scale of 1")
    }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.blockSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.blockSize)
        }
        return [
            Plane("codes", bytesPerToken: width / 2), Plane("scales", bytesPerToken: width / Self.blockSize),
        ] + (hasRowScale ? [Plane("row scales", bytesPerToken: 4)] : [])
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        kl_nvfp4_encode(
            isa, rows, count, segment.width, stride, segment.plane(0, token: token), segment.plane(1, token: token),
            rowScales(segment, token))
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_nvfp4_decode(
            isa, segment.plane(0, token: token), segment.plane(1, token: token), rowScales(segment, token), count,
            segment.width, out)
    }

    private func rowScales(_ segment: Segment, _ token: Int) -> UnsafeMutablePointer<Float>? {
        hasRowScale ? segment.plane(2, token: token) : nil
    }
}
