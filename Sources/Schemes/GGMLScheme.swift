import CKernels

/// Rows in GGML blocks of 32 elements: the cache types of llama.cpp.
///
/// | name | x̂ | codes | scale d | bits per element |
/// |---|---|---|---|---|
/// | `q8_0` | d·q | −127...127 | max│x│/127 | 8.5 |
/// | `q5_1` | d·q + m | 0...31 | (max − min)/31, m = min | 6 |
/// | `q5_0` | d·(q − 16) | 0...31 | x/−16 of the largest │x│ | 5.5 |
/// | `q4_1` | d·q + m | 0...15 | (max − min)/15, m = min | 5 |
/// | `q4_0` | d·(q − 8) | 0...15 | x/−8 of the largest │x│ | 4.5 |
/// | `iq4_nl` | d·level(q) | 0...15 | least squares | 4.5 |
///
/// - Layout: one plane; a block is d, then m, both IEEE f16, then the fifth bits (element i in bit i), then 16 bytes with
///   elements 0...15 in the low and 16...31 in the high nibbles; `q8_0` has 32 signed bytes.
/// - Source: GGML's reference quantizers (`quantize_row_*_ref` in
///   https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-quants.c); byte for byte, held by `GGMLSchemeTests`.
///   The bounds of │x − x̂│ are in `SchemeConformanceTests.errorIsBounded`.
public struct GGMLScheme: KVScheme {
    public let name: String
    public let summary: String
    /// Elements of a block.
    public static let blockSize = 32
    /// Bytes of a block of `q8_0`.
    static let q8BlockBytes = 34
    private let type: kl_ggml
    private let blockBytes: Int

    public static let all = [
        GGMLScheme("q8_0", KL_GGML_Q8_0, blockBytes: q8BlockBytes, "8 bits, symmetric"),
        GGMLScheme("q5_1", KL_GGML_Q5_1, blockBytes: 24, "5 bits above a minimum"),
        GGMLScheme("q5_0", KL_GGML_Q5_0, blockBytes: 22, "5 bits around zero"),
        GGMLScheme("q4_1", KL_GGML_Q4_1, blockBytes: 20, "4 bits above a minimum"),
        GGMLScheme("q4_0", KL_GGML_Q4_0, blockBytes: 18, "4 bits around zero"),
        GGMLScheme("iq4_nl", KL_GGML_IQ4_NL, blockBytes: 18, "16 uneven levels"),
    ]

    private init(_ name: String, _ type: kl_ggml, blockBytes: Int, _ what: String) {
        self.name = name
        self.type = type
        self.blockBytes = blockBytes
        summary = "GGML \(name) of llama.cpp, \(what), blocks of \(Self.blockSize)"
    }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.blockSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.blockSize)
        }
        return [Plane("blocks", bytesPerToken: width / Self.blockSize * blockBytes)]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        kl_ggml_encode(isa, type, rows, count, segment.width, stride, segment.plane(0, token: token))
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_ggml_decode(isa, type, segment.plane(0, token: token), count * segment.width, out)
    }
}
