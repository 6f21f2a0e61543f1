import Schemes

/// Where everything lies in the blocks of a model's cache under a scheme. Computed once and shared by all agents.
///
/// A block holds 256 tokens of one layer: the key segments of all heads, then their value segments.
public struct CacheLayout: Sendable {
    public let spec: ModelCacheSpec
    public let scheme: CacheScheme
    public let windowPolicy: WindowPolicy
    public let layers: [LayerLayout]
    /// Segments whose newest rows wait in 16-bit floats, one of each kind of residual window.
    private let waiting: [SegmentLayout]

    /// - Throws: ``SchemeError`` when a row width does not suit a layer's scheme, the model has no such layer, or no calibration
    ///   that a scheme needs.
    public init(spec: ModelCacheSpec, scheme: CacheScheme, windowPolicy: WindowPolicy = .window) throws {
        let scheme = try spec.calibration.map { try scheme.calibrated(by: $0) } ?? scheme
        try scheme.check(layerCount: spec.layers.count)
        self.spec = spec
        self.scheme = scheme
        self.windowPolicy = windowPolicy
        layers = try spec.layers.enumerated().map { layer, spec in
            try LayerLayout(spec: spec, scheme: scheme.scheme(ofLayer: layer), policy: windowPolicy)
        }
        var waiting: [SegmentLayout] = []
        for segment in layers.flatMap({ [$0.keys, $0.values].compactMap { $0 } }) where segment.residual != .none {
            if !waiting.contains(where: { $0.residual == segment.residual && $0.tileTokens == segment.tileTokens }) {
                waiting.append(segment)
            }
        }
        self.waiting = waiting
    }

    /// Layers that keep the same tokens, and so live in the same segment files: first those that keep all, which may be
    /// none, then one group for each window.
    struct Group: Sendable, Equatable {
        let window: Int?
        let layers: [Int]
    }

    /// Throws what went wrong in a layer's scheme; see `KVScheme.check()`.
    /// - Throws: ``SchemeError/python(file:problem:)`` or ``SchemeError/uncalibrated(scheme:)``.
    public func checkSchemes() throws {
        for layer in layers {
            try layer.keys.scheme.check()
            try layer.values?.scheme.check()
        }
    }

    /// The groups of the layers; the first has no window.
    var groups: [Group] {
        var windows: [Int?] = [nil]
        for layer in layers where !windows.contains(layer.keptWindow) { windows.append(layer.keptWindow) }
        return windows.map { window in
            Group(window: window, layers: layers.indices.filter { layers[$0].keptWindow == window })
        }
    }

    /// Bits of an element of an encoded row, scales and all, over all layers.
    public var encodedBits: Double {
        let elements = layers.reduce(0) { $0 + $1.spec.kvHeads * ($1.spec.keyWidth + $1.spec.valueWidth) * blockTokens }
        return Double(layers.reduce(0) { $0 + $1.blockBytes } * 8) / Double(elements)
    }

    /// Does any layer leave its newest rows in 16-bit floats?
    public var hasResidual: Bool { !waiting.isEmpty }

    /// Tokens in blocks that are never written again while the cache only grows: whole blocks, encoded in every layer.
    func sealedTokens(at count: Int) -> Int {
        waiting.reduce(count) { min($0, $1.encoded(at: count)) } / blockTokens * blockTokens
    }

    /// The least number of tokens that a cache of `count` tokens can go back to with the rows that it keeps in 16-bit
    /// floats: one token less, at least.
    func leastCount(at count: Int) -> Int { waiting.reduce(0) { max($0, $1.leastCount(keptAt: count)) } }

    /// Bytes of an agent's cache at `tokens` tokens, whole blocks and residual windows counted.
    public func agentBytes(tokens: Int) -> Int {
        layers.reduce(0) { bytes, layer in
            bytes + layer.heldBlocks(at: tokens).count * layer.blockBytes + (tokens > 0 ? layer.residualBytes : 0)
        }
    }

    /// Agents that a budget holds at `tokens` tokens each when they are filled one after another, `step` tokens at a time:
    /// while the last one grows, its windowed layers hold a step more than they keep, and the rows of a step are there in
    /// 16-bit floats in layers with a residual window.
    public func agents(inBudget budget: Int, tokens: Int, step: Int = blockTokens) -> Int {
        let last = layers.reduce(0) { bytes, layer in
            let start = layer.heldBlocks(at: max(0, tokens - step)).lowerBound
            return bytes + (layer.heldBlocks(at: tokens).upperBound - start) * layer.blockBytes + layer.residualBytes
                + layer.stagingBytes(rows: min(step, tokens))
        }
        return last > budget ? 0 : (budget - last) / agentBytes(tokens: tokens) + 1
    }

    /// Payload of `tokens` tokens without rounding up to blocks: the figure that the papers compute.
    public func payloadBytes(tokens: Int) -> Int {
        layers.reduce(0) { $0 + $1.payloadBytes(tokens: tokens) }
    }
}

/// The blocks of one layer.
public struct LayerLayout: Sendable {
    public let spec: LayerCacheSpec
    /// Tokens kept behind the newest one; nil when all are kept.
    public let keptWindow: Int?
    public let keys: SegmentLayout
    /// nil when values are a part of the key row.
    public let values: SegmentLayout?
    /// Bytes of a block; a multiple of 64.
    public let blockBytes: Int
    /// Where rows lie that wait in 16-bit floats; nil where none do.
    let residual: ResidualLayout?

    init(spec: LayerCacheSpec, scheme: LayerScheme, policy: WindowPolicy) throws {
        self.spec = spec
        keptWindow = policy == .window ? spec.window : nil
        keys = try SegmentLayout(scheme: scheme.key, width: spec.keyWidth)
        values = spec.valueWidth == 0 ? nil : try SegmentLayout(scheme: scheme.value, width: spec.valueWidth)
        blockBytes = spec.kvHeads * (keys.byteCount + (values?.byteCount ?? 0))
        residual = try ResidualLayout(heads: spec.kvHeads, keys: keys, values: values)
    }

    /// Does encoding ask for the attention that probe rows give?
    public var readsAttention: Bool { keys.readsAttention || values?.readsAttention == true }

    /// nil for values that are a part of the keys.
    func segment(_ kind: RowKind) -> SegmentLayout? { kind == .keys ? keys : values }

    /// The segment of `head` in the block at `base`.
    func segment(_ kind: RowKind, head: Int, in base: UnsafeMutableRawPointer) -> Segment {
        kind == .keys ? keySegment(head: head, in: base) : valueSegment(head: head, in: base)
    }

    /// Bytes that rows in 16-bit floats take, whether they are there or not.
    public var residualBytes: Int { residual?.byteCount ?? 0 }

    /// Bytes that a step of `rows` tokens takes while it runs.
    public func stagingBytes(rows: Int) -> Int { rows > 1 ? residual?.stagingBytes(rows: rows) ?? 0 : 0 }

    /// The first position that may be written when the cache has `count` tokens.
    func firstWritten(at count: Int) -> Int {
        min(count, keys.encoded(at: count), values?.encoded(at: count) ?? count)
    }

    fileprivate func payloadBytes(tokens: Int) -> Int {
        let held = min(tokens, keptWindow ?? tokens)
        guard residual != nil else { return held * blockBytes / blockTokens }
        return [keys, values].compactMap { $0 }.reduce(0) { bytes, segment in
            let waiting = min(held, tokens - segment.encoded(at: tokens))
            return bytes + spec.kvHeads
                * (waiting * segment.waitingRowBytes + (held - waiting) * segment.byteCount / blockTokens)
        }
    }

    /// Indices of the blocks that are held at `tokens` tokens. Of a windowed layer one token more than the next
    /// query sees is kept, so that the newest token can be taken back and computed again.
    public func heldBlocks(at tokens: Int) -> Range<Int> {
        let end = (tokens + blockTokens - 1) / blockTokens
        guard let keptWindow else { return 0..<end }
        return min(max(0, tokens - keptWindow) / blockTokens, end)..<end
    }

    /// The key segment of `head` in the block at `base`.
    public func keySegment(head: Int, in base: UnsafeMutableRawPointer) -> Segment {
        keys.segment(at: base + head * keys.byteCount)
    }

    /// The value segment of `head` in the block at `base`. Not for a layer whose values are a part of its keys.
    public func valueSegment(head: Int, in base: UnsafeMutableRawPointer) -> Segment {
        values!.segment(at: base + spec.kvHeads * keys.byteCount + head * values!.byteCount)
    }
}
