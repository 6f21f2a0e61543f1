import CKernels

/// The generic path: decode a tile, then dense math. It serves every scheme, and the reference computation always.
extension KVScheme {
    /// Bytes that one token of `width` elements takes, scales and all.
    public func bytesPerToken(width: Int) throws -> Int {
        try planes(width: width).reduce(0) { $0 + $1.bytesPerToken }
    }

    /// Stored bits per element, scales and all.
    public func bitsPerElement(width: Int) throws -> Double {
        Double(try bytesPerToken(width: width) * 8) / Double(width)
    }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        denseScores(queries, segment, from: token, count: count, into: scores, stride: stride, scratch: scratch, isa: isa)
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        denseAccumulate(
            weights, stride: stride, heads: heads, segment, from: token, count: count, into: out, scratch: scratch,
            isa: isa)
    }

    /// Scores in f32 on decoded rows. `scratch` holds [count, width].
    public func denseScores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        decode(segment, from: token, count: count, into: scratch, isa: isa)
        kl_scores_f32(
            isa, queries.values, queries.width, queries.heads, scratch, count, segment.width, scores, stride)
    }

    /// Weighted sum in f32 on decoded rows. `scratch` holds [count, width].
    public func denseAccumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        decode(segment, from: token, count: count, into: scratch, isa: isa)
        kl_accumulate_f32(
            isa, weights, stride, heads, scratch, count, segment.width, out, segment.width)
    }
}
