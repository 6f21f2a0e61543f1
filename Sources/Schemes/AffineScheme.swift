import CKernels

/// Affine rows: x ≈ scale·q + bias, q in 0 ..< 2^bits, one scale and one bias per group of elements.
///
/// - Layout: codes, least significant bit first, `width·bits/8` bytes a token; then `width/group` scales; then as
///   many biases, in 16-bit floats: bits + 32/group bits per element (4.5 for 4 bits and groups of 64).
/// - Source: MLX `quantize`, affine mode (https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html);
///   bit-exact with it. |x − x̂| ≤ |scale| plus the rounding of scale and bias, held by `SchemeConformanceTests`.
public struct AffineScheme: KVScheme {
    public let bits: Int
    public let groupSize: Int
    /// Type of scales and biases: what MLX uses is the type of the model's activations.
    public let half: kl_half

    public init(bits: Int, groupSize: Int, half: kl_half = KL_BF16) {
        precondition([2, 3, 4, 5, 6, 8].contains(bits) && [32, 64, 128].contains(groupSize))
        self.bits = bits
        self.groupSize = groupSize
        self.half = half
    }

    public var name: String { "affine-q\(bits)-g\(groupSize)" + (half == KL_F16 ? "-f16" : "") }

    public var summary: String {
        "MLX affine, \(bits) bits, groups of \(groupSize), \(half == KL_F16 ? "float16" : "bfloat16") scales and biases"
    }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % groupSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: groupSize)
        }
        let groupBytes = width / groupSize * 2
        return [
            Plane("codes", bytesPerToken: width * bits / 8),
            Plane("scales", bytesPerToken: groupBytes),
            Plane("biases", bytesPerToken: groupBytes),
        ]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        kl_affine_encode(
            isa, Int32(bits), Int32(groupSize), half, rows, count, segment.width, stride,
            segment.plane(0, token: token), segment.plane(1, token: token), segment.plane(2, token: token))
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_affine_decode(
            isa, Int32(bits), Int32(groupSize), half, segment.plane(0, token: token),
            segment.plane(1, token: token), segment.plane(2, token: token), count, segment.width, out, segment.width)
    }

    /// 4 bits in groups of 64 have kernels; the others go the generic way.
    private var hasKernels: Bool { bits == 4 && groupSize == 64 }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        guard hasKernels, let q = queries.quantized else {
            return denseScores(
                queries, segment, from: token, count: count, into: scores, stride: stride, scratch: scratch, isa: isa)
        }
        kl_scores_affine4(
            isa, half, q.codes, q.scales, q.sums, queries.heads, segment.plane(0, token: token),
            segment.plane(1, token: token), segment.plane(2, token: token), count, segment.width, scores, stride)
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        guard hasKernels else {
            return denseAccumulate(
                weights, stride: stride, heads: heads, segment, from: token, count: count, into: out,
                scratch: scratch, isa: isa)
        }
        kl_accumulate_affine4(
            isa, half, weights, stride, heads, segment.plane(0, token: token), segment.plane(1, token: token),
            segment.plane(2, token: token), count, segment.width, out, segment.width)
    }
}
