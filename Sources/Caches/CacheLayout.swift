import Schemes

/// Where everything lies in the blocks of a model's cache under a scheme. Computed once and shared by all agents.
///
/// A block holds 256 tokens of one layer: the key segments of all heads, then their value segments.
public struct CacheLayout: Sendable {
    public let spec: ModelCacheSpec
    public let scheme: CacheScheme
    public let windowPolicy: WindowPolicy
    public let layers: [LayerLayout]

    /// - Throws: ``SchemeError`` when a row width does not suit a layer's scheme, or the model has no such layer.
    public init(spec: ModelCacheSpec, scheme: CacheScheme, windowPolicy: WindowPolicy = .window) throws {
        try scheme.check(layerCount: spec.layers.count)
        self.spec = spec
        self.scheme = scheme
        self.windowPolicy = windowPolicy
        layers = try spec.layers.enumerated().map { layer, spec in
            try LayerLayout(spec: spec, scheme: scheme.scheme(ofLayer: layer), policy: windowPolicy)
        }
    }

    /// Layers that keep the same tokens, and so live in the same segment files: first those that keep all, which may be
    /// none, then one group for each window.
    struct Group: Sendable, Equatable {
        let window: Int?
        let layers: [Int]
    }

    /// The groups of the layers; the first has no window.
    var groups: [Group] {
        var windows: [Int?] = [nil]
        for layer in layers where !windows.contains(layer.keptWindow) { windows.append(layer.keptWindow) }
        return windows.map { window in
            Group(window: window, layers: layers.indices.filter { layers[$0].keptWindow == window })
        }
    }

    /// Bytes of an agent's blocks at `tokens` tokens, whole blocks counted.
    public func agentBytes(tokens: Int) -> Int {
        layers.reduce(0) { $0 + $1.heldBlocks(at: tokens).count * $1.blockBytes }
    }

    /// Agents that a budget holds at `tokens` tokens each when they are filled one after another, `step` tokens at a time:
    /// while the last one grows, its windowed layers hold a step more than they keep.
    public func agents(inBudget budget: Int, tokens: Int, step: Int = blockTokens) -> Int {
        let last = layers.reduce(0) { bytes, layer in
            let start = layer.heldBlocks(at: max(0, tokens - step)).lowerBound
            return bytes + (layer.heldBlocks(at: tokens).upperBound - start) * layer.blockBytes
        }
        return last > budget ? 0 : (budget - last) / agentBytes(tokens: tokens) + 1
    }

    /// Payload of `tokens` tokens without rounding up to blocks: the figure that the papers compute.
    public func payloadBytes(tokens: Int) -> Int {
        layers.reduce(0) { $0 + min(tokens, $1.keptWindow ?? tokens) * $1.blockBytes / blockTokens }
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

    init(spec: LayerCacheSpec, scheme: LayerScheme, policy: WindowPolicy) throws {
        self.spec = spec
        keptWindow = policy == .window ? spec.window : nil
        keys = try SegmentLayout(scheme: scheme.key, width: spec.keyWidth)
        values = spec.valueWidth == 0 ? nil : try SegmentLayout(scheme: scheme.value, width: spec.valueWidth)
        blockBytes = spec.kvHeads * (keys.byteCount + (values?.byteCount ?? 0))
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

    /// Bytes of `rows` rows of every plane of every head.
    func packedBytes(rows: Int) -> Int { blockBytes / blockTokens * rows }

    /// Copies the first `rows` rows of every plane of a block, without the room after them.
    func pack(rows: Int, from base: UnsafeRawPointer, into out: UnsafeMutableRawPointer) {
        var out = out
        forEachPlane { offset, bytesPerToken in
            out.copyMemory(from: base + offset, byteCount: rows * bytesPerToken)
            out += rows * bytesPerToken
        }
    }

    /// Puts back what ``pack(rows:from:into:)`` took; the other rows are left as they are.
    func unpack(rows: Int, from packed: UnsafeRawPointer, into base: UnsafeMutableRawPointer) {
        var packed = packed
        forEachPlane { offset, bytesPerToken in
            (base + offset).copyMemory(from: packed, byteCount: rows * bytesPerToken)
            packed += rows * bytesPerToken
        }
    }

    /// Calls `body` with the place of every plane in a block, in order: keys of each head, then values of each head.
    func forEachPlane(_ body: (_ offset: Int, _ bytesPerToken: Int) -> Void) {
        var offset = 0
        for layout in [keys, values].compactMap({ $0 }) {
            for _ in 0..<spec.kvHeads {
                for plane in layout.planes {
                    body(offset, plane.bytesPerToken)
                    offset += plane.bytesPerToken * blockTokens
                }
            }
        }
    }
}
