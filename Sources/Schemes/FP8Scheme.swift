import CKernels

/// Rows in 8-bit floats: x̂ = scale·code, one scale for each row, that is for each token and head.
///
/// | name | code | largest | scale | relative error of what is not subnormal |
/// |---|---|---|---|---|
/// | `fp8-e4m3` | 4 bits of exponent, 3 of fraction, no infinities | 448 | max│x│/448 | 2⁻⁴ |
/// | `fp8-e5m2` | 5 bits of exponent, 2 of fraction | 57344 | max│x│/57344 | 2⁻³ |
///
/// - Layout: `width` codes, then the scale in 32 bits: 8 + 32/width bits per element. Rounded to nearest, ties to even;
///   what is below the least normal number is off by half a subnormal step (scale·2⁻¹⁰, scale·2⁻¹⁷) at most. A row with an
///   infinity or NaN has scale NaN.
/// - Source: OCP 8-bit Floating Point Specification (https://arxiv.org/abs/2209.05433); scales per token and head as in
///   vLLM's quantized caches (https://docs.vllm.ai/en/latest/features/quantization/quantized_kvcache/). The codes are those
///   of ml_dtypes, held by `SmallFloatSchemeTests`; the bounds by `SchemeConformanceTests`.
public struct FP8Scheme: KVScheme {
    public let name: String
    public let summary: String
    private let type: kl_fp8

    public static let e4m3 = FP8Scheme("fp8-e4m3", "E4M3, scale max|x|/448", KL_E4M3)
    public static let e5m2 = FP8Scheme("fp8-e5m2", "E5M2, scale max|x|/57344", KL_E5M2)

    private init(_ name: String, _ what: String, _ type: kl_fp8) {
        self.name = name
        self.type = type
        summary = "OCP 8-bit floats \(what) of a token and head, in 32 bits"
    }

    public func planes(width: Int) -> [Plane] {
        [Plane("codes", bytesPerToken: width), Plane("scales", bytesPerToken: 4)]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        kl_fp8_encode(
            isa, type, rows, count, segment.width, stride, segment.plane(0, token: token), segment.plane(1, token: token))
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_fp8_decode(
            isa, type, segment.plane(0, token: token), segment.plane(1, token: token), count, segment.width, out)
    }
}
