import CKernels

/// The generic path: decode a tile, then dense math. It serves every scheme, and the reference computation always.
extension KVScheme {
    public var tileTokens: Int { 1 }
    public var residual: ResidualWindow { .none }
    public var readsAttention: Bool { false }
    public func scheme(for kind: RowKind) -> any KVScheme { self }
    public var needsCalibration: Bool { false }
    public func calibrated(by source: CalibrationSource) throws -> any KVScheme { self }
    public func check() throws {}
    public var roundsQueries: Bool { false }
    public func roundQueries(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa) {}

    /// Bytes that one encoded token of `width` elements takes, scales and all; the mean over the tokens of a segment.
    public func bytesPerToken(width: Int) throws -> Int { try segmentBytes(width: width) / blockTokens }

    /// Stored bits per encoded element, scales and all.
    public func bitsPerElement(width: Int) throws -> Double {
        Double(try segmentBytes(width: width) * 8) / Double(blockTokens * width)
    }

    private func segmentBytes(width: Int) throws -> Int {
        try planes(width: width).reduce(0) { $0 + $1.segmentBytes }
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
