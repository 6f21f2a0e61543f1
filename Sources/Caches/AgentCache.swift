import CKernels
import Schemes

/// The cache of one agent: its tokens, and for every layer the blocks that hold their keys and values.
///
/// A step is: ``reserve(_:)``, then ``store(layer:head:keys:keyStride:values:valueStride:count:isa:)`` for every layer
/// and head, then ``commit(_:)``. Until `commit` the new rows do not count. Stores of different heads or layers may run
/// in parallel; everything else belongs to one thread at a time.
public final class AgentCache: @unchecked Sendable {
    /// The agent's name: any text.
    public let agent: String
    public let layout: CacheLayout
    public let pool: BlockPool
    /// Tokens whose keys and values are stored.
    public private(set) var tokens: [Int32] = []
    /// SHA-256 of the text that the tokens came from, in hexadecimal, where the caller says so; kept with the cache.
    public var textHash: String?
    /// Handoffs that any of the tokens went through: 0 where all were computed here.
    public internal(set) var hops = 0
    /// Rows that go through another scheme before they are stored; none but in studies of single heads.
    public var roundTrips: [HeadRoundTrip] = []
    /// Rotary position of the first token.
    package let positionOffset: Int
    private(set) var layers: [LayerBlocks]
    /// The least count that the cache can go back to with the rows that wait in 16-bit floats.
    private(set) var leastCount = 0

    struct LayerBlocks {
        /// Index of the first block held: block b holds tokens 256b ..< 256(b + 1).
        var first = 0
        var blocks: [Block] = []
        /// Rows that wait in 16-bit floats.
        var residual: Block?
        /// Rows of a step of several tokens until it is committed, and for how many there is room.
        var staging: Block?
        var stagedRows = 0
        /// Rows at the start of the first block that hold nothing: a card brought the rows after them only.
        var gap = 0
    }

    public convenience init(agent: String, layout: CacheLayout, pool: BlockPool) {
        self.init(agent: agent, layout: layout, pool: pool, positionOffset: 0)
    }

    /// A cache whose first token stands at another rotary position than 0. It cannot be saved.
    package init(agent: String, layout: CacheLayout, pool: BlockPool, positionOffset: Int) {
        self.agent = agent
        self.layout = layout
        self.pool = pool
        self.positionOffset = positionOffset
        layers = layout.layers.map { _ in LayerBlocks() }
    }

    init(
        agent: String, layout: CacheLayout, pool: BlockPool, tokens: [Int32], textHash: String?, hops: Int = 0, leastCount: Int,
        layers: [LayerBlocks]
    ) {
        self.agent = agent
        self.leastCount = leastCount
        self.textHash = textHash
        self.hops = hops
        positionOffset = 0
        self.layout = layout
        self.pool = pool
        self.tokens = tokens
        self.layers = layers
    }

    /// Tokens stored.
    public var count: Int { tokens.count }

    /// Bytes of the blocks held and of the rows that wait in 16-bit floats.
    public var storedBytes: Int {
        layers.reduce(0) {
            $0 + $1.blocks.reduce(0) { $0 + $1.byteCount } + ($1.residual?.byteCount ?? 0) + ($1.staging?.byteCount ?? 0)
        }
    }

    /// Makes room for `extra` more tokens in every layer, all or nothing.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``; the cache is as before then.
    public func reserve(_ extra: Int) throws {
        if extra > 0 { try makeTailWritable() }
        let end = (count + extra + blockTokens - 1) / blockTokens
        var grown = layers
        for index in grown.indices {
            let bytes = layout.layers[index].blockBytes
            while grown[index].first + grown[index].blocks.count < end {
                grown[index].blocks.append(try pool.allocate(bytes))
            }
        }
        try reserveWaiting(extra, in: &grown)
        layers = grown
        tokens.reserveCapacity(count + extra)
    }

    /// Copies the blocks that the next tokens go to where they are frozen, after tokens were taken back: they lie in a
    /// file, or a ``snapshot()`` holds them.
    private func makeTailWritable() throws {
        for index in layers.indices {
            let first = layout.layers[index].firstWritten(at: count) / blockTokens - layers[index].first
            for tail in max(0, first)..<max(0, first, layers[index].blocks.count) where layers[index].blocks[tail].isFrozen {
                let block = layers[index].blocks[tail]
                let copy = try pool.allocate(block.byteCount)
                copy.pointer.copyMemory(from: block.pointer, byteCount: block.byteCount)
                layers[index].blocks[tail] = copy
            }
        }
    }

    /// Lets go of blocks that were reserved and hold no token.
    public func releaseUnused() {
        let end = (count + blockTokens - 1) / blockTokens
        for index in layers.indices {
            let extra = layers[index].first + layers[index].blocks.count - end
            if extra > 0 { layers[index].blocks.removeLast(extra) }
            dropStaging(layer: index)
            if count == 0 { layers[index].residual = nil }
        }
    }

    func dropStaging(layer index: Int) {
        layers[index].staging = nil
        layers[index].stagedRows = 0
    }

    /// Encodes `rows` new rows of one head, the first at position ``count`` + `offset`.
    /// - Parameters:
    ///   - keys: [count, keyWidth] at `keys + i * keyStride`.
    ///   - values: [count, valueWidth] likewise; ignored where values are a part of the keys.
    ///   - probesFollow: will the attention that probe rows give be noted before ``commit(_:)``? Then schemes that ask for it
    ///     encode with ``encodeProbed(layer:head:tile:isa:)``, else at once and with nothing noted.
    public func store(
        layer: Int, head: Int, keys: UnsafePointer<Float>, keyStride: Int, values: UnsafePointer<Float>,
        valueStride: Int, count rows: Int, probesFollow: Bool = false, isa: kl_isa
    ) {
        store(
            .keys, layer: layer, head: head, rows: keys, stride: keyStride, count: rows, probesFollow: probesFollow, isa: isa)
        if layout.layers[layer].values != nil {
            store(
                .values, layer: layer, head: head, rows: values, stride: valueStride, count: rows, probesFollow: probesFollow,
                isa: isa)
        }
    }

    private func store(
        _ kind: RowKind, layer: Int, head: Int, rows source: UnsafePointer<Float>, stride: Int, count rows: Int, probesFollow: Bool,
        isa: kl_isa
    ) {
        guard let trip = roundTrips.first(where: { ($0.kind, $0.layer, $0.head) == (kind, layer, head) }) else {
            return encode(
                kind, layer: layer, head: head, rows: source, stride: stride, count: rows, probesFollow: probesFollow, isa: isa)
        }
        trip.withRows(source, stride: stride, count: rows, isa: isa) {
            encode(
                kind, layer: layer, head: head, rows: $0, stride: trip.segment.width, count: rows, probesFollow: probesFollow,
                isa: isa)
        }
    }

    private func encode(
        _ kind: RowKind, layer: Int, head: Int, rows source: UnsafePointer<Float>, stride: Int, count rows: Int, probesFollow: Bool,
        isa: kl_isa
    ) {
        let layerLayout = layout.layers[layer]
        let segment = layerLayout.segment(kind)!
        guard segment.residual == .none else {
            return storeWaiting(
                kind, layer: layer, head: head, rows: source, stride: stride, count: rows, probesFollow: probesFollow, isa: isa)
        }
        var row = 0
        while row < rows {
            let position = count + row
            let token = position % blockTokens
            let part = min(rows - row, blockTokens - token)
            segment.scheme.encode(
                source + row * stride, count: part, stride: stride, at: token,
                into: layerLayout.segment(kind, head: head, in: block(layer: layer, holding: position)), isa: isa)
            row += part
        }
    }

    /// The new rows count from now on; windowed layers let go of blocks that no later query sees.
    public func commit(_ new: some Collection<Int32>) {
        commitWaiting(new.count)
        tokens.append(contentsOf: new)
        leastCount = max(leastCount, layout.leastCount(at: count))
        for index in layers.indices {
            let held = layout.layers[index].heldBlocks(at: count)
            let gone = held.lowerBound - layers[index].first
            if gone > 0 {
                layers[index].blocks.removeFirst(gone)
                layers[index].first = held.lowerBound
                layers[index].gap = 0
            }
        }
    }

    /// The longest prefix that this cache can go back to is any count in this range, or 0.
    public var truncatable: ClosedRange<Int> {
        var lowest = leastCount
        for (blocks, layer) in zip(layers, layout.layers) where blocks.first > 0 || blocks.gap > 0 {
            lowest = max(lowest, blocks.first * blockTokens + blocks.gap + (layer.keptWindow ?? 0) - 1)
        }
        return min(lowest, count)...count
    }

    /// Takes back all tokens from `newCount` on.
    /// - Throws: ``CachesError/cannotTruncate(agent:to:kept:)`` when a windowed layer has already let go of what
    ///   the next query would see, and ``CachesError/alreadyEncoded(agent:to:kept:)`` when it would read rows in 16-bit
    ///   floats that are encoded already. Going back to 0 always works.
    public func truncate(to newCount: Int) throws {
        guard newCount < count else { return }
        if newCount == 0 {
            layers = layout.layers.map { _ in LayerBlocks() }
            leastCount = 0
            hops = 0
        } else {
            guard newCount >= leastCount else {
                throw CachesError.alreadyEncoded(agent: agent, to: newCount, kept: leastCount..<count)
            }
            guard truncatable.contains(newCount) else {
                throw CachesError.cannotTruncate(agent: agent, to: newCount, kept: truncatable.lowerBound..<count)
            }
            let end = (newCount + blockTokens - 1) / blockTokens
            for index in layers.indices {
                layers[index].blocks.removeLast(layers[index].first + layers[index].blocks.count - end)
                dropStaging(layer: index)
            }
        }
        tokens.removeLast(count - newCount)
    }

    /// Holds whole blocks that others hold too instead of what it held. Nothing waits in 16-bit floats.
    func replace(tokens: [Int32], layers: [LayerBlocks]) {
        self.tokens = tokens
        self.layers = layers
        leastCount = 0
        hops = 0
    }

    /// Layer `layer` has no rows before token `token`, which lies in its first block.
    func leaveGap(layer: Int, before token: Int) {
        precondition(token / blockTokens == layers[layer].first, "the gap is in the first block")
        layers[layer].gap = token - layers[layer].first * blockTokens
    }

    /// First position that layer `layer` still holds.
    public func firstPosition(layer: Int) -> Int { layers[layer].first * blockTokens }

    /// The memory of the block of `layer` that holds `position`.
    public func block(layer: Int, holding position: Int) -> UnsafeMutableRawPointer {
        layers[layer].blocks[position / blockTokens - layers[layer].first].pointer
    }
}
