import Schemes

/// Where the newest rows of a layer lie while they wait in 16-bit floats: a ring for each head, first those of the keys and
/// then those of the values, as far as their schemes have a residual window.
struct ResidualLayout: Sendable {
    /// A ring of one head: position p lies in slot p % rows.
    struct Ring: Sendable {
        let rows: Int
        let rowBytes: Int
        /// Where the ring of the first head starts.
        let offset: Int
        /// From one head's ring to the next.
        var headBytes: Int { rows * rowBytes }
    }

    /// The scheme of rows that wait.
    static let scheme = HalfScheme.fp16
    /// Rows of a step are counted in these, so that few sizes of blocks come up.
    private static let stagingUnit = 128

    let heads: Int
    let keys: Ring?
    let values: Ring?
    /// Bytes of all rings; a multiple of 64.
    let byteCount: Int

    /// nil where no row waits.
    init?(heads: Int, keys: SegmentLayout, values: SegmentLayout?) throws {
        guard keys.residual != .none || (values?.residual ?? .none) != .none else { return nil }
        self.heads = heads
        var end = 0
        func ring(_ segment: SegmentLayout?) -> Ring? {
            guard let segment, segment.residual != .none else { return nil }
            let ring = Ring(rows: segment.waitingRows, rowBytes: segment.waitingRowBytes, offset: end)
            end += heads * ring.headBytes
            return ring
        }
        self.keys = ring(keys)
        self.values = ring(values)
        byteCount = (end + 63) / 64 * 64
    }

    subscript(kind: RowKind) -> Ring? { kind == .keys ? keys : values }

    /// Rows of a step that there is room for when `rows` are asked for.
    static func stagedRows(_ rows: Int) -> Int { (rows + stagingUnit - 1) / stagingUnit * stagingUnit }

    /// Bytes of the rows of a step, keys of each head and then values of each head.
    func stagingBytes(rows: Int) -> Int {
        heads * Self.stagedRows(rows) * ((keys?.rowBytes ?? 0) + (values?.rowBytes ?? 0))
    }

    /// Where the rows of `head` start among `staged` rows of a step.
    func stagingOffset(_ kind: RowKind, head: Int, staged: Int) -> Int {
        let before = kind == .keys ? 0 : heads * staged * (keys?.rowBytes ?? 0)
        return before + head * staged * self[kind]!.rowBytes
    }
}
