import CKernels
import Foundation
import Schemes
import Tensors

/// What a card is to be like.
public struct CardRequest: Sendable {
    /// The schemes of a card's rows.
    public enum Precision: Sendable {
        /// As the cache holds them: its bytes.
        case stored
        /// All tokens in one scheme.
        case uniform(CacheScheme)
        /// A scheme for each token of the part.
        case tokens(CardPrecision)
    }

    public var part = CardPart.all
    public var keys = CardKeys.rotated
    public var precision = Precision.stored
    public var sealer = CardSealer.checksum
    /// Who sends it; the cache's agent where nothing is said.
    public var sender: String?

    public init() {}
}

extension CacheCard {
    /// Makes a card from a part of an agent's cache, which stays as it is.
    /// - Parameters:
    ///   - turn: takes the part's keys back to no rotation; for ``CardKeys/unrotated`` and for nothing else.
    ///   - workers: who copies; this thread alone where nil.
    /// - Throws: ``CachesError/noSuchPart(agent:part:problem:)`` when the cache does not hold the part,
    ///   ``CachesError/rowsWait(scheme:)``, a `SchemeError` when rows do not fit a scheme, or ``TensorsError/outOfMemory(bytes:)``.
    public static func make(
        from cache: AgentCache, identity: CacheIdentity, _ request: CardRequest = CardRequest(), turn: KeyTurn? = nil,
        workers: WorkerPool? = nil
    ) throws -> CacheCard {
        precondition((turn != nil) == (request.keys == .unrotated), "keys are turned when they are wanted unrotated")
        try cache.layout.requireNoResidual()
        let part = try cache.tokens(of: request.part)
        let precision = try request.precision(of: part.count, stored: cache, part: request.part)
        let header = CardHeader(
            sender: request.sender ?? cache.agent, hops: cache.hops, identity: identity, spec: cache.layout.spec,
            windowPolicy: cache.layout.windowPolicy, keys: request.keys, precision: precision,
            tokens: Array(cache.tokens[part]), positions: part.map { Int32(cache.positionOffset + $0) },
            textHash: part.count == cache.count ? cache.textHash : nil, seal: request.sealer.seal,
            signer: request.sealer.signer)
        for (index, layer) in cache.layout.layers.enumerated()
        where part.upperBound - header.heldTokens(layer) < cache.firstHeld(layer: index) {
            throw CachesError.noSuchPart(
                agent: cache.agent, part: request.part.description,
                problem: "layer \(index) keeps tokens \(cache.firstHeld(layer: index)) to \(cache.count) only; take the last ones")
        }
        let layouts = try header.layouts()
        let planes = header.planes(layouts)
        let declarations = header.declarations(planes)
        let head = SafetensorsWriter.headerBytes(metadata: try header.metadata(), tensors: declarations)
        var places: [Range<Int>] = []
        var next = head.count
        for declaration in declarations {
            places.append(next..<(next + declaration.byteCount))
            next += declaration.byteCount
        }
        let memory = try AlignedBuffer(byteCount: next)
        head.withUnsafeBytes { memory.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        memory.put(header.tokens, at: places[0])
        memory.put(header.positions, at: places[1])
        memory.put(header.precision.runs.flatMap { [Int32($0.tokens), Int32($0.scheme)] }, at: places[2])
        let card = CacheCard(
            header: header, image: CardImage(memory, count: next, name: "the card of \(header.sender)"), layouts: layouts,
            planes: planes, places: Array(places[4..<(4 + planes.count)]))
        try card.fill(memory.pointer, from: cache, start: part.lowerBound, turn: turn, workers: workers)
        card.seal(memory.pointer, digests: places[3], workers: workers)
        let sealed = UnsafeRawBufferPointer(start: memory.pointer, count: places[3].upperBound)
        let code = try request.sealer.close(sealed)
        (memory.pointer + places[places.count - 1].lowerBound).copyMemory(from: code, byteCount: code.count)
        return card
    }

    /// Copies or encodes the rows, head by head.
    private func fill(
        _ out: UnsafeMutableRawPointer, from cache: AgentCache, start: Int, turn: KeyTurn?, workers: WorkerPool?
    ) throws {
        let scratch = try CardScratch.all(layouts + [cache.layout], workers: workers)
        let isa = kl_isa_best()
        forEachHead(workers) { scheme, layer, kind, head, worker in
            let layerLayout = layouts[scheme].layers[layer]
            let source = cache.layout.layers[layer].segment(kind)!
            let target = layerLayout.segment(kind)!
            let first = firstPlane(layer: layer, kind, scheme: scheme)!
            let turn = kind == .keys ? turn : nil
            let isCopy = turn == nil && source.scheme.name == target.scheme.name
            var row = 0
            for range in header.ranges(scheme: scheme, layer: layerLayout) {
                let positions = (start + range.lowerBound)..<(start + range.upperBound)
                if isCopy {
                    for (number, plane) in target.planes.enumerated() {
                        var place = out + places[first + number].lowerBound
                            + (head * planes[first].rows + row) * plane.bytesPerToken
                        cache.forEachRun(layer: layer, kind, head: head, plane: number, positions: positions) { run in
                            place.copyMemory(from: run.baseAddress!, byteCount: run.count)
                            place += run.count
                        }
                    }
                    row += range.count
                    continue
                }
                cache.forEachBlock(positions) { position, count in
                    let my = scratch[worker]
                    let segment = cache.segment(layer: layer, kind, head: head, holding: position)
                    source.scheme.decode(segment, from: position % blockTokens, count: count, into: my.floats, isa: isa)
                    turn?.apply(
                        my.floats, count: count, width: source.width, layer: layer, first: position - start, isa: isa)
                    my.encode(count: count, target, isa: isa) { number, bytes in
                        let width = target.planes[number].bytesPerToken
                        (out + places[first + number].lowerBound + (head * planes[first].rows + row) * width)
                            .copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                    }
                    row += count
                }
            }
        }
    }

    private func seal(_ out: UnsafeMutableRawPointer, digests: Range<Int>, workers: WorkerPool?) {
        let size = header.seal.digestBytes
        func digest(_ index: Int) {
            header.seal.digest(
                plane(index), into: UnsafeMutableRawBufferPointer(start: out + digests.lowerBound + index * size, count: size))
        }
        if let workers { workers.run(planes.count) { index, _ in digest(index) } } else { planes.indices.forEach(digest) }
    }

    /// Calls `body` for every head of the keys and values of every layer, for each scheme that has rows there.
    func forEachHead(
        _ workers: WorkerPool?, _ body: (_ scheme: Int, _ layer: Int, _ kind: RowKind, _ head: Int, _ worker: Int) -> Void
    ) {
        let tasks = planes.filter { $0.plane == 0 && $0.rows > 0 }.flatMap { plane in (0..<plane.heads).map { (plane, $0) } }
        func run(_ index: Int, _ worker: Int) {
            let (plane, head) = tasks[index]
            body(plane.scheme, plane.layer, plane.kind, head, worker)
        }
        if let workers { workers.run(tasks.count, run) } else { tasks.indices.forEach { run($0, 0) } }
    }
}

extension CardRequest {
    fileprivate func precision(of count: Int, stored cache: AgentCache, part: CardPart) throws -> CardPrecision {
        switch precision {
        case .stored: return CardPrecision(uniform: cache.layout.scheme, count: count)
        case .uniform(let scheme): return CardPrecision(uniform: scheme, count: count)
        case .tokens(let precision):
            guard precision.tokenCount == count else {
                throw CachesError.noSuchPart(
                    agent: cache.agent, part: part.description,
                    problem: "precisions are given for \(precision.tokenCount) tokens and it has \(count)")
            }
            return precision
        }
    }
}

extension CardSealer {
    fileprivate var signer: String? {
        guard case .signature(let signer) = self else { return nil }
        return signer.publicKey
    }
}

extension AlignedBuffer {
    fileprivate func put(_ numbers: [Int32], at place: Range<Int>) {
        numbers.withUnsafeBytes { (pointer + place.lowerBound).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
}
