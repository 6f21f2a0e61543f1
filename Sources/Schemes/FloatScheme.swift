import CKernels

/// Rows kept as 32-bit floats: what the others are compared with.
public struct Float32Scheme: KVScheme {
    public let name = "fp32"
    public let summary = "32-bit floats, lossless"

    public init() {}

    public func planes(width: Int) -> [Plane] { [Plane("values", bytesPerToken: width * 4)] }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        for row in 0..<count {
            segment.plane(0, token: token + row).update(from: rows + row * stride, count: segment.width)
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        out.update(from: segment.plane(0, token: token), count: count * segment.width)
    }
}

/// Rows kept as 16-bit floats, IEEE half or bfloat16, rounded to nearest even.
public struct HalfScheme: KVScheme {
    public let name: String
    public let summary: String
    private let type: kl_half

    public static let fp16 = HalfScheme(name: "fp16", summary: "IEEE 16-bit floats", type: KL_F16)
    public static let bf16 = HalfScheme(name: "bf16", summary: "bfloat16", type: KL_BF16)

    private init(name: String, summary: String, type: kl_half) {
        self.name = name
        self.summary = summary
        self.type = type
    }

    public func planes(width: Int) -> [Plane] { [Plane("values", bytesPerToken: width * 2)] }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        for row in 0..<count {
            kl_f32_to_half(isa, type, rows + row * stride, segment.width, segment.plane(0, token: token + row))
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_half_to_f32(isa, type, segment.plane(0, token: token), count * segment.width, out)
    }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_scores_half(
            isa, type, queries.values, queries.width, queries.heads, segment.plane(0, token: token), count,
            segment.width, scores, stride)
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_accumulate_half(
            isa, type, weights, stride, heads, segment.plane(0, token: token), count, segment.width, out,
            segment.width)
    }
}
