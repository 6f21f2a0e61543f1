import CKernels

/// `queries-q8_0(X)`: scheme X, read by queries that are rounded to `q8_0` first.
///
/// What is stored is X. llama.cpp's processors multiply quantized keys in integers, for which attention rounds each query to
/// 8 bits in blocks of 32: this says what that costs, and stands beside it.
/// - Source: `ggml_compute_forward_flash_attn_ext_f16_one_chunk` in
///   https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cpu/ops.cpp.
public struct QueryRoundingScheme: KVScheme {
    public let inner: any KVScheme

    public init(_ inner: any KVScheme) { self.inner = inner }

    static let wrapper = SchemeWrapper(
        name: "queries-q8_0", summary: "any scheme X, read by queries rounded to q8_0, as llama.cpp reads quantized keys"
    ) { QueryRoundingScheme($0) }

    public var name: String { "queries-q8_0(\(inner.name))" }
    public var summary: String { "queries rounded to q8_0, and: \(inner.summary)" }
    public var tileTokens: Int { inner.tileTokens }
    public var residual: ResidualWindow { inner.residual }
    public var readsAttention: Bool { inner.readsAttention }
    public var roundsQueries: Bool { true }

    public func scheme(for kind: RowKind) -> any KVScheme { QueryRoundingScheme(inner.scheme(for: kind)) }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % GGMLScheme.blockSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: GGMLScheme.blockSize)
        }
        return try inner.planes(width: width)
    }

    public func check() throws { try inner.check() }

    public func roundQueries(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa) {
        let blocks = count * width / GGMLScheme.blockSize
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blocks * GGMLScheme.q8BlockBytes) { bytes in
            kl_ggml_encode(isa, KL_GGML_Q8_0, rows, count, width, width, bytes.baseAddress!)
            kl_ggml_decode(isa, KL_GGML_Q8_0, bytes.baseAddress!, count * width, rows)
        }
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        inner.encode(rows, count: count, stride: stride, at: token, into: segment, isa: isa)
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        inner.decode(segment, from: token, count: count, into: out, isa: isa)
    }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        inner.scores(
            queries, segment, from: token, count: count, into: scores, stride: stride, scratch: scratch, isa: isa)
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        inner.accumulate(
            weights, stride: stride, heads: heads, segment, from: token, count: count, into: out, scratch: scratch, isa: isa)
    }
}
