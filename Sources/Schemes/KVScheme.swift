import CKernels

/// A way of storing rows of K or V.
///
/// A scheme sees one KV head at a time: a *segment* of 256 token rows, `width` elements each, laid out as one
/// plane after another (all codes, then all scales, …), every plane 64-byte aligned. It turns rows of floats
/// into exactly those bytes and back. Everything that stores a cache works with every scheme through `encode`
/// and `decode`; a scheme with kernels of its own also scores and accumulates packed rows without unpacking.
///
/// A scheme may take several tokens at once, a *tile*, and may leave the newest rows in 16-bit floats, in its *residual
/// window*: the cache keeps these rows and encodes whole tiles when their time has come.
///
/// A new scheme is one file that conforms to this and one line in ``SchemeRegistry``.
public protocol KVScheme: Sendable {
    /// The name under which the registry finds it and files record it, such as `affine-q4-g64`.
    var name: String { get }

    /// One sentence for `kvlab schemes`, with its source.
    var summary: String { get }

    /// The planes of a segment, in order.
    /// - Throws: ``SchemeError/widthNotGrouped(scheme:width:groupSize:)`` when rows of `width` cannot be stored.
    func planes(width: Int) throws -> [Plane]

    /// Tokens that are encoded together: 1, or another divisor of 256.
    var tileTokens: Int { get }

    /// Which of the newest rows wait in 16-bit floats. A scheme with tiles of several tokens has such a window, of whole
    /// tiles.
    var residual: ResidualWindow { get }

    /// Does encoding ask for the attention that probe rows give to a tile's tokens? Such a scheme has tiles of
    /// ``ProbeRows/tile`` tokens, which wait until they are whole.
    var readsAttention: Bool { get }

    /// What stores keys, or values, under this scheme's name: itself, unless it stores the two in different ways.
    func scheme(for kind: RowKind) -> any KVScheme

    /// Can it encode only with what was calibrated for the model?
    var needsCalibration: Bool { get }

    /// The scheme with what was calibrated for a model; itself where it needs nothing.
    /// - Throws: ``SchemeError/calibration(file:problem:)``, also for another model's file.
    func calibrated(by source: CalibrationSource) throws -> any KVScheme

    /// Stores `count` rows at tokens `token ..< token + count` of a segment, which are whole tiles.
    /// - Parameters:
    ///   - rows: floats, row i at `rows + i * stride`.
    func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa)

    /// Reads `count` rows from token `token` on into `out`, contiguous, `[count, width]`.
    func decode(_ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa)

    /// Throws what went wrong in ``encode(_:count:stride:at:into:isa:)`` or ``decode(_:from:count:into:isa:)`` where these
    /// leave this process, or need what is not there; the rows of such a call are zeros. Asked after each step of a model.
    /// - Throws: ``SchemeError/python(file:problem:)`` or ``SchemeError/uncalibrated(scheme:)``.
    func check() throws

    /// Does attention under this scheme take other queries than they are?
    var roundsQueries: Bool { get }

    /// Rounds query rows [count, width] in place; asked only where ``roundsQueries``.
    func roundQueries(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa)

    /// scores[h * stride + i] = q_h · row_i for tokens `token ..< token + count`.
    func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa)

    /// out[h * width + d] += Σ_i p[h * stride + i] · row_i[d] for tokens `token ..< token + count`.
    func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa)
}

/// Rows of one plane: `bytesPerTile` bytes for each `tileTokens` tokens, one after another.
public struct Plane: Sendable, Equatable {
    public let name: String
    public let bytesPerTile: Int
    /// 1, or a divisor of the scheme's tile.
    public let tileTokens: Int

    public init(_ name: String, bytesPerToken: Int) { self.init(name, bytesPerTile: bytesPerToken, tileTokens: 1) }

    public init(_ name: String, bytesPerTile: Int, tileTokens: Int) {
        self.name = name
        self.bytesPerTile = bytesPerTile
        self.tileTokens = tileTokens
    }

    /// Bytes of a token: the mean of a tile.
    public var bytesPerToken: Int { bytesPerTile / tileTokens }

    /// Bytes of `tokens` tokens, which are whole tiles.
    public func bytes(tokens: Int) -> Int { tokens / tileTokens * bytesPerTile }

    /// Bytes in a segment.
    public var segmentBytes: Int { bytes(tokens: blockTokens) }
}

/// Tokens of a segment and of a block.
public let blockTokens = 256

/// 256 token rows of one KV head in memory.
public struct Segment {
    public let base: UnsafeMutableRawPointer
    /// Elements of a row.
    public let width: Int
    let offsets: PlaneOffsets
    /// Position of its first token in the agent's context; set where a scheme encodes.
    public var firstPosition = 0
    /// Its layer and KV head; set where a scheme with a residual window encodes.
    public var layer = 0
    public var head = 0
    /// Of each row that is encoded the attention that probe rows give it, where the scheme reads attention; nil where none was
    /// noted.
    public var saliency: UnsafePointer<Float>?

    init(base: UnsafeMutableRawPointer, width: Int, offsets: PlaneOffsets) {
        self.base = base
        self.width = width
        self.offsets = offsets
    }

    /// Where token `token`, or the tile that it is in, starts in plane `index`, as elements of `type`.
    public func plane<T>(_ index: Int, token: Int, as type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        let (start, step, shift) = offsets[index]
        return (base + start + token &>> shift * step).assumingMemoryBound(to: type)
    }
}

/// Where the planes of a segment start, and how far apart their tiles are. At most four planes, held inline:
/// segments are made on the hot path.
struct PlaneOffsets: Sendable, Equatable {
    private var starts = SIMD4<Int>()
    private var steps = SIMD4<Int>()
    /// Binary logarithms of the tiles: divisors of 256 are powers of two.
    private var shifts = SIMD4<Int>()

    init(_ planes: [Plane]) {
        precondition(planes.count <= 4, "a scheme has at most four planes")
        var start = 0
        for (index, plane) in planes.enumerated() {
            starts[index] = start
            steps[index] = plane.bytesPerTile
            shifts[index] = plane.tileTokens.trailingZeroBitCount
            start += plane.segmentBytes
        }
    }

    /// Planes of `tokens` tokens alone, from byte `end` on, which is moved behind them; each starts at a multiple of 8 bytes. A
    /// plane with tiles has one, of all these tokens.
    init(_ planes: [Plane], tokens: Int, end: inout Int) {
        for (index, plane) in planes.enumerated() {
            starts[index] = end
            steps[index] = plane.tileTokens == 1 ? plane.bytesPerTile : 0
            end += plane.tileTokens == 1 ? tokens * plane.bytesPerTile : plane.bytesPerTile
            end = (end + 7) / 8 * 8
        }
    }

    subscript(index: Int) -> (start: Int, step: Int, shift: Int) { (starts[index], steps[index], shifts[index]) }
}

/// Scaled query rows of the heads that share one KV head.
public struct DecodeQueries {
    /// [heads, width]
    public let values: UnsafePointer<Float>
    /// The same rows in 8 bits per group of 64, [heads, width]; nil when the width is no multiple of 64.
    public let quantized: QuantizedRows?
    public let heads: Int
    public let width: Int

    public init(values: UnsafePointer<Float>, quantized: QuantizedRows?, heads: Int, width: Int) {
        self.values = values
        self.quantized = quantized
        self.heads = heads
        self.width = width
    }
}

/// Rows in symmetric 8 bits per group of 64, as `kl_quantize_activations` makes them.
public struct QuantizedRows {
    public let codes: UnsafeMutablePointer<Int8>
    public let scales: UnsafeMutablePointer<Float>
    public let sums: UnsafeMutablePointer<Float>

    public init(codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>) {
        self.codes = codes
        self.scales = scales
        self.sums = sums
    }
}
