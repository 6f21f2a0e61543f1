import CKernels

/// Any scheme on rotated rows: `encode` rotates, `decode` rotates back, and both see what the inner scheme stores.
///
/// Decode attention rotates the queries once instead of every key, and rotates the weighted sum of values back once instead
/// of every value: the same up to rounding, held by `SchemeConformanceTests.fusedEqualsDense`. Where the inner scheme's
/// kernels take queries in 8 bits, it is the rotated queries that are rounded to them.
public struct RotatedScheme: KVScheme {
    public let name: String
    public let summary: String
    public let rotation: Rotation
    public let inner: any KVScheme

    public init(name: String, summary: String, rotation: Rotation, inner: any KVScheme) {
        self.name = name
        self.summary = summary
        self.rotation = rotation
        self.inner = inner
    }

    public var tileTokens: Int { inner.tileTokens }
    /// Rows that wait are as they came, not rotated.
    public var residual: ResidualWindow { inner.residual }
    public var readsAttention: Bool { inner.readsAttention }
    public var roundsQueries: Bool { inner.roundsQueries }

    public func scheme(for kind: RowKind) -> any KVScheme {
        RotatedScheme(name: name, summary: summary, rotation: rotation, inner: inner.scheme(for: kind))
    }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % rotation.multiple == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: rotation.multiple)
        }
        return try inner.planes(width: width)
    }

    public func check() throws { try inner.check() }

    /// Rounds them as they are when rotated.
    public func roundQueries(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa) {
        guard inner.roundsQueries else { return }
        rotation.apply(rows, count: count, width: width, isa: isa)
        inner.roundQueries(rows, count: count, width: width, isa: isa)
        rotation.undo(rows, count: count, width: width, isa: isa)
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count * width) { buffer in
            let rotated = buffer.baseAddress!
            for row in 0..<count {
                (rotated + row * width).initialize(from: rows + row * stride, count: width)
            }
            rotation.apply(rotated, count: count, width: width, isa: isa)
            inner.encode(rotated, count: count, stride: width, at: token, into: segment, isa: isa)
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        inner.decode(segment, from: token, count: count, into: out, isa: isa)
        rotation.undo(out, count: count, width: segment.width, isa: isa)
    }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let size = queries.heads * queries.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { buffer in
            let rotated = buffer.baseAddress!
            rotated.initialize(from: queries.values, count: size)
            rotation.apply(rotated, count: queries.heads, width: queries.width, isa: isa)
            func score(_ quantized: QuantizedRows?) {
                inner.scores(
                    DecodeQueries(values: rotated, quantized: quantized, heads: queries.heads, width: queries.width),
                    segment, from: token, count: count, into: scores, stride: stride, scratch: scratch, isa: isa)
            }
            guard queries.quantized != nil else { return score(nil) }
            withQuantized(rotated, heads: queries.heads, width: queries.width, isa: isa, score)
        }
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let size = heads * segment.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { buffer in
            let sums = buffer.baseAddress!
            sums.initialize(repeating: 0, count: size)
            inner.accumulate(
                weights, stride: stride, heads: heads, segment, from: token, count: count, into: sums, scratch: scratch,
                isa: isa)
            rotation.undo(sums, count: heads, width: segment.width, isa: isa)
            for index in 0..<size { out[index] += sums[index] }
        }
    }

    /// `body` with rows [heads, width] in 8 bits per group of 64.
    private func withQuantized(
        _ rows: UnsafePointer<Float>, heads: Int, width: Int, isa: kl_isa, _ body: (QuantizedRows) -> Void
    ) {
        let groups = heads * width / 64
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: heads * width) { codes in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * groups) { numbers in
                let quantized = QuantizedRows(
                    codes: codes.baseAddress!, scales: numbers.baseAddress!, sums: numbers.baseAddress! + groups)
                kl_quantize_activations(
                    isa, rows, heads, width, width, quantized.codes, quantized.scales, quantized.sums)
                body(quantized)
            }
        }
    }
}
