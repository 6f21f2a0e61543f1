/// How one scheme lays out a segment of 256 rows of a given width: computed once, used for every block.
public struct SegmentLayout: Sendable {
    public let scheme: any KVScheme
    public let width: Int
    public let planes: [Plane]
    /// Bytes of a segment; a multiple of 64.
    public let byteCount: Int
    private let offsets: PlaneOffsets

    /// - Throws: what ``KVScheme/planes(width:)`` throws.
    public init(scheme: any KVScheme, width: Int) throws {
        self.scheme = scheme
        self.width = width
        planes = try scheme.planes(width: width)
        byteCount = planes.reduce(0) { $0 + $1.bytesPerToken * blockTokens }
        offsets = PlaneOffsets(planes)
    }

    /// The segment that starts at `base`.
    public func segment(at base: UnsafeMutableRawPointer) -> Segment {
        Segment(base: base, width: width, offsets: offsets)
    }
}
