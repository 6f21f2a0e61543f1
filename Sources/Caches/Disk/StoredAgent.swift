import CKernels
import Foundation
import Schemes
import Tensors

/// A saved cache that is mapped and of which nothing but manifest and indexes was looked at: the warm tier.
///
/// To be used it is ``read(workers:)``, ``verify(workers:)`` and then ``place(in:residence:)``.
public final class StoredAgent: @unchecked Sendable {
    let manifest: Manifest
    private let manifestImage: FileImage
    private let tail: Range<Int>
    /// Files by number.
    private let images: [Int: FileImage]
    private let token: AgentFolder.Token

    public var agent: String { manifest.agent }
    public var identity: CacheIdentity { manifest.identity }
    public var layout: CacheLayout { manifest.layout }
    public var tokenCount: Int { manifest.tokenCount }
    public var textHash: String? { manifest.textHash }
    /// Segment files.
    public var segmentCount: Int { images.count }
    /// Bytes that the cache takes in memory, whole blocks counted.
    public var blockBytes: Int {
        manifest.tails.reduce(manifest.runs.reduce(0) { $0 + segmentBytes($1) }) { bytes, tail in
            bytes + tail.blocks.count * tail.layer.blockBytes + (tokenCount > 0 ? tail.layer.residualBytes : 0)
        }
    }

    private func segmentBytes(_ run: Manifest.Run) -> Int {
        layout.groups[run.group].layers.reduce(0) { $0 + layout.layers[$1].blockBytes } * run.used.count
    }

    init(_ manifest: Manifest, image: FileImage, tail: Range<Int>, images: [Int: FileImage], token: AgentFolder.Token) {
        self.manifest = manifest
        manifestImage = image
        self.tail = tail
        self.images = images
        self.token = token
    }

    /// Where a block lies in a file, and what it must add up to.
    private struct Piece {
        let layer: Int
        let column: Int
        let bytes: UnsafeRawBufferPointer
        let checksum: UInt32
        let image: FileImage
        let segment: Int
    }

    private lazy var pieces: [Piece] = manifest.runs.flatMap { run in
        let file = manifest.segmentFile(run)
        let image = images[run.segment]!
        return file.group.layers.indices.flatMap { member in
            run.used.map { column in
                Piece(
                    layer: file.group.layers[member], column: column,
                    bytes: file.block(image, member: member, column: column - run.segmentFirst),
                    checksum: file.checksum(image, member: member, column: column - run.segmentFirst), image: image,
                    segment: run.segment)
            }
        }
    }

    /// Brings every page into memory: on all threads of `workers`, or on this one.
    public func read(workers: WorkerPool?) {
        for image in images.values { image.prefetch() }
        let pieces = pieces
        Self.forEach(pieces.count, workers) { PageTouch.touch(pieces[$0].bytes) }
    }

    /// Compares every block with its checksum: on all threads of `workers`, or on this one.
    /// - Throws: ``CachesError/damaged(file:what:)`` naming the first block that differs.
    public func verify(workers: WorkerPool?) throws {
        let pieces = pieces
        let good = [Bool](unsafeUninitializedCapacity: pieces.count) { good, count in
            Self.forEach(pieces.count, workers) { index in
                let bytes = pieces[index].bytes
                good[index] = kl_crc32c(0, bytes.baseAddress!, bytes.count) == pieces[index].checksum
            }
            count = pieces.count
        }
        guard let bad = good.firstIndex(of: false) else { return }
        throw CachesError.damaged(
            file: pieces[bad].image.path,
            what: "block \(pieces[bad].column) of layer \(pieces[bad].layer) does not match its checksum")
    }

    private static func forEach(_ count: Int, _ workers: WorkerPool?, _ body: (Int) -> Void) {
        guard let workers else { return (0..<count).forEach(body) }
        workers.run(count) { index, _ in body(index) }
    }

    /// Where the blocks of a loaded cache live.
    public enum Residence: Sendable {
        /// In the mapped files; only the unfilled last block of each layer is copied.
        case mapped
        /// In the pool's own memory.
        case copied
    }

    /// Hands the blocks to an agent's cache; they must be verified.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``.
    public func place(in pool: BlockPool, residence: Residence = .mapped) throws -> AgentCache {
        var layers = layout.layers.map { _ in AgentCache.LayerBlocks() }
        for (index, group) in layout.groups.enumerated() {
            for layer in group.layers {
                layers[layer].first = manifest.firstBlocks[index]
                layers[layer].gap = manifest.gaps[index]
            }
        }
        let pieces = pieces
        switch residence {
        case .mapped:
            let blocks = try pool.adopt(
                pieces.map {
                    .init(bytes: $0.bytes, owner: $0.image, place: Block.Place(folder: token, segment: $0.segment))
                })
            for (piece, block) in zip(pieces, blocks) { layers[piece.layer].blocks.append(block) }
        case .copied:
            for piece in pieces {
                let block = try pool.allocate(piece.bytes.count)
                block.pointer.copyMemory(from: piece.bytes.baseAddress!, byteCount: piece.bytes.count)
                block.freeze()
                block.setPlace(Block.Place(folder: token, segment: piece.segment))
                layers[piece.layer].blocks.append(block)
            }
        }
        var packed = manifestImage.bytes.baseAddress! + tail.lowerBound
        for (index, layer) in manifest.tails.enumerated() {
            for column in layer.blocks {
                let block = try pool.allocate(layer.layer.blockBytes)
                layer.unpack(block: column, from: packed, into: block.pointer)
                layers[index].blocks.append(block)
                packed += layer.packedBytes(block: column)
            }
            guard tokenCount > 0, layer.layer.residual != nil else { continue }
            let residual = try pool.allocate(layer.layer.residualBytes)
            layer.forEachRun { offset, bytes in
                (residual.pointer + offset).copyMemory(from: packed, byteCount: bytes)
                packed += bytes
            }
            layers[index].residual = residual
        }
        return AgentCache(
            agent: agent, layout: layout, pool: pool, tokens: tokens, textHash: textHash, hops: manifest.hops,
            leastCount: manifest.leastCount, layers: layers)
    }

    /// The tokens whose keys and values are stored.
    public var tokens: [Int32] {
        let sealed = manifest.runs.filter { manifest.hasTokens($0.group) }.flatMap { run in
            manifest.segmentFile(run).tokens(
                images[run.segment]!,
                columns: (run.used.lowerBound - run.segmentFirst)..<(run.used.upperBound - run.segmentFirst))
        }
        return sealed + manifest.looseTokens
    }

    /// Lets the pages go: from warm with pages to warm without.
    public func letGo() {
        for image in images.values { image.letGo() }
    }
}

/// Reading one byte of every page.
private enum PageTouch {
    @inline(never)
    static func touch(_ bytes: UnsafeRawBufferPointer) {
        var sum: UInt8 = 0
        for offset in stride(from: 0, to: bytes.count, by: 4096) { sum &+= bytes[offset] }
        withExtendedLifetime(sum) {}
    }
}
