import CKernels
import Schemes
import Tensors

extension AgentCache {
    /// The places in the context that a part means.
    /// - Throws: ``CachesError/noSuchPart(agent:part:problem:)``.
    func tokens(of part: CardPart) throws -> Range<Int> {
        guard let tokens = part.tokens(of: count) else {
            throw CachesError.noSuchPart(agent: agent, part: part.description, problem: "its context has \(count) tokens")
        }
        return tokens
    }

    /// Rotary positions of a part's tokens.
    /// - Throws: ``CachesError/noSuchPart(agent:part:problem:)``.
    public func positions(of part: CardPart) throws -> [Int32] {
        try tokens(of: part).map { Int32(positionOffset + $0) }
    }

    /// Rotary positions of the next `count` tokens.
    public func nextPositions(_ count: Int) -> [Int32] { (0..<count).map { Int32(positionOffset + self.count + $0) } }

    /// The first token of which a layer has rows.
    func firstHeld(layer: Int) -> Int { layers[layer].first * blockTokens + layers[layer].gap }

    func segment(layer: Int, _ kind: RowKind, head: Int, holding position: Int) -> Segment {
        let base = block(layer: layer, holding: position)
        let layout = self.layout.layers[layer]
        return kind == .keys ? layout.keySegment(head: head, in: base) : layout.valueSegment(head: head, in: base)
    }

    /// Calls `body` with the part of `positions` in each block.
    func forEachBlock(_ positions: Range<Int>, _ body: (_ position: Int, _ count: Int) -> Void) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            let count = min(blockTokens - position % blockTokens, positions.upperBound - position)
            body(position, count)
            position += count
        }
    }

    /// Puts a card's tokens behind what the cache holds.
    ///
    /// Rows in the cache's own scheme that need no turn are taken byte for byte; others are decoded, keys turned, and
    /// encoded again. Layers with a window then hold the card's last tokens only, where it is longer than the window.
    /// - Parameters:
    ///   - turn: takes the card's keys to the positions where they go; nil where they are there already.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``, ``CachesError/rowsWait(scheme:)`` or
    ///   ``TensorsError/outOfMemory(bytes:)``; the cache is as before then.
    public func append(_ card: CacheCard, turn: KeyTurn?, workers: WorkerPool? = nil) throws {
        precondition(card.header.spec == layout.spec && card.header.windowPolicy == layout.windowPolicy, "the card is not checked")
        precondition(
            turn != nil || card.header.keys == .rotated && card.header.positions == nextPositions(card.header.tokenCount),
            "the card's keys stand elsewhere")
        try layout.requireNoResidual()
        let scratch = try CardScratch.all(card.layouts + [layout], workers: workers)
        try reserve(card.header.tokenCount)
        let start = count
        let isa = kl_isa_best()
        card.forEachHead(workers) { scheme, layer, kind, head, worker in
            let turn = kind == .keys ? turn : nil
            let sourceLayer = card.layouts[scheme].layers[layer]
            let source = sourceLayer.segment(kind)!
            let target = layout.layers[layer].segment(kind)!
            let first = card.firstPlane(layer: layer, kind, scheme: scheme)!
            let isCopy = turn == nil && source.scheme.name == target.scheme.name
            var row = 0
            /// Copies rows of a plane of the card.
            func take(_ plane: Int, _ rows: Int, _ out: UnsafeMutableRawBufferPointer) {
                let width = source.planes[plane].bytesPerToken
                let from = (head * card.planes[first].rows + row) * width
                out.copyMemory(from: UnsafeRawBufferPointer(rebasing: card.plane(first + plane)[from..<(from + rows * width)]))
            }
            for range in card.header.ranges(scheme: scheme, layer: sourceLayer) {
                forEachBlock((start + range.lowerBound)..<(start + range.upperBound)) { position, count in
                    let segment = self.segment(layer: layer, kind, head: head, holding: position)
                    let token = position % blockTokens
                    if isCopy {
                        for (number, plane) in target.planes.enumerated() {
                            let place = segment.plane(number, token: token, as: UInt8.self)
                            take(number, count, UnsafeMutableRawBufferPointer(start: place, count: count * plane.bytesPerToken))
                        }
                    } else {
                        let my = scratch[worker]
                        my.decode(count: count, source, isa: isa) { take($0, count, $1) }
                        turn?.apply(
                            my.floats, count: count, width: source.width, layer: layer, first: position - start, isa: isa)
                        target.scheme.encode(my.floats, count: count, stride: target.width, at: token, into: segment, isa: isa)
                    }
                    row += count
                }
            }
        }
        hops = max(hops, card.header.hops + 1)
        commit(card.header.tokens)
        for (index, layer) in layout.layers.enumerated() where card.header.heldTokens(layer) < card.header.tokenCount {
            leaveGap(layer: index, before: count - card.header.heldTokens(layer))
        }
    }
}

extension CacheLayout {
    /// - Throws: ``CachesError/rowsWait(scheme:)`` where newest rows wait in 16-bit floats.
    func requireNoResidual() throws {
        guard !hasResidual else { throw CachesError.rowsWait(scheme: scheme.description) }
    }
}
