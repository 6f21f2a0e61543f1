/// How one scheme lays out a segment of 256 rows of a given width: computed once, used for every block.
public struct SegmentLayout: Sendable {
    public let scheme: any KVScheme
    public let width: Int
    public let planes: [Plane]
    /// Bytes of a segment; a multiple of 64.
    public let byteCount: Int
    public let tileTokens: Int
    public let residual: ResidualWindow
    /// Does encoding ask for the attention that probe rows give?
    public let readsAttention: Bool
    private let offsets: PlaneOffsets

    /// - Throws: what ``KVScheme/planes(width:)`` throws.
    public init(scheme: any KVScheme, width: Int) throws {
        self.scheme = scheme
        self.width = width
        planes = try scheme.planes(width: width)
        byteCount = planes.reduce(0) { $0 + $1.segmentBytes }
        tileTokens = scheme.tileTokens
        residual = scheme.residual
        readsAttention = scheme.readsAttention
        offsets = PlaneOffsets(planes)
        precondition(
            blockTokens % tileTokens == 0 && planes.allSatisfy { tileTokens % $0.tileTokens == 0 }
                && (tileTokens == 1 || residual != .none) && residual.encoded(at: blockTokens * 64, tile: 1) % tileTokens == 0,
            "the tiles and the residual window of '\(scheme.name)' do not go together")
        precondition(
            !readsAttention || (tileTokens == ProbeRows.tile && residual == .whole(tokens: ProbeRows.tile)),
            "'\(scheme.name)' reads attention, and its tiles are not those of probe rows")
    }

    /// The segment that starts at `base`.
    public func segment(at base: UnsafeMutableRawPointer) -> Segment {
        Segment(base: base, width: width, offsets: offsets)
    }

    /// Rows that are encoded when `count` rows are stored, a multiple of the tile; the others wait in 16-bit floats.
    public func encoded(at count: Int) -> Int { residual.encoded(at: count, tile: tileTokens) }

    /// The first position that a query reads in 16-bit floats if `count` rows were stored before; none is `Int.max`.
    public func firstWaiting(at count: Int) -> Int { residual == .none ? .max : encoded(at: count) }

    /// The most rows that wait at a time, with one that comes and one that may be taken back; 0 where none do.
    public var waitingRows: Int { residual.rows(tile: tileTokens) }

    /// Bytes of a row that waits: its elements, and 16 bits for what each probe row of its tile gives it where that is asked for.
    public var waitingRowBytes: Int { 2 * width + (readsAttention ? 2 * ProbeRows.count : 0) }

    /// The least number of stored rows to which a cache of `count` rows can go back, if the rows that waited at
    /// `count - 1` are kept.
    public func leastCount(keptAt count: Int) -> Int {
        residual == .none ? 0 : residual.leastCount(encoded: encoded(at: max(0, count - 1)))
    }
}
