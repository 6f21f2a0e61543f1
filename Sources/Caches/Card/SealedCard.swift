import Crypto
import Foundation
import Schemes
import Tensors

/// A card of which the header was read and nothing is known yet: ``open(trust:workers:)`` makes sure of it.
public struct SealedCard: Sendable {
    /// What it says it is.
    public let header: CardHeader
    private let image: CardImage
    private let layouts: [CacheLayout]
    private let planes: [CardPlane]
    private let places: [Range<Int>]
    private let digests: Range<Int>
    private let seal: Range<Int>

    /// Maps a file and reads its header.
    /// - Throws: ``CachesError/notACard(file:problem:)``, ``CachesError/damaged(file:what:)``,
    ///   ``CachesError/mismatch(file:what:expected:found:)`` for another version, a `SchemeError` for a scheme that is not
    ///   known here, or a ``TensorsError``.
    public init(path: String) throws { try self.init(CardImage(path: path)) }

    /// Reads the header of the first `count` bytes of `memory`, which nobody writes any more.
    /// - Parameter name: where it came from, for errors.
    public init(memory: AlignedBuffer, count: Int, name: String) throws {
        try self.init(CardImage(memory, count: count, name: name))
    }

    /// A card that was made in this process, to be taken by another agent of it.
    public init(_ card: CacheCard) throws { try self.init(card.image) }

    private init(_ image: CardImage) throws {
        self.image = image
        let file = try SafetensorsHeader(bytes: image.bytes, file: image.name)
        header = try CardHeader(file, bytes: image.bytes, file: image.name)
        // Every layer has a tensor for each scheme, so no more of them than there are tensors.
        guard header.precision.schemes.count <= file.entries.count / header.spec.layers.count else {
            throw CachesError.damaged(file: image.name, what: "it has fewer tensors than layers")
        }
        layouts = try header.layouts()
        planes = header.planes(layouts)
        var places: [Range<Int>] = []
        var next = file.dataStart
        for declared in header.declarations(planes) {
            guard let entry = file.entries[declared.name], entry.dtype == declared.dtype, entry.shape == declared.shape,
                entry.range.lowerBound == next
            else { throw CachesError.damaged(file: image.name, what: "tensor '\(declared.name)' is not what or where it should be") }
            next = entry.range.upperBound
            places.append(entry.range)
        }
        guard places.count == file.entries.count else {
            throw CachesError.damaged(file: image.name, what: "it has \(file.entries.count - places.count) tensors too many")
        }
        digests = places[3]
        seal = places.removeLast()
        self.places = Array(places[4...])
    }

    /// What errors call it.
    public var name: String { image.name }

    /// The whole file.
    public var bytes: UnsafeRawBufferPointer { image.bytes }

    /// SHA-256 of all that stands before the planes, and of the seal: what the card is known by on its way.
    public var id: String {
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<digests.upperBound]))
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[seal]))
        return hexadecimal(hash.finalize())
    }

    /// Brings every page of a file into memory: on all threads of `workers`, or on this one.
    public func read(workers: WorkerPool? = nil) {
        image.prefetch()
        let pages = 1 << 20
        forEach((image.bytes.count + pages - 1) / pages, workers) { part in
            var sum: UInt8 = 0
            for offset in stride(from: part * pages, to: min(image.bytes.count, (part + 1) * pages), by: 4096) {
                sum &+= image.bytes[offset]
            }
            withExtendedLifetime(sum) {}
        }
    }

    /// Makes sure that the card is as it was made, and made by someone who is trusted.
    /// - Throws: ``CachesError/notTrusted(file:problem:)``, or ``CachesError/damaged(file:what:)`` naming the first tensor
    ///   that does not match its digest.
    public func open(trust: CardTrust = .anyone, workers: WorkerPool? = nil) throws -> CacheCard {
        try trust.check(
            UnsafeRawBufferPointer(rebasing: image.bytes[..<digests.upperBound]), seal: header.seal, signer: header.signer,
            code: UnsafeRawBufferPointer(rebasing: image.bytes[seal]), file: image.name)
        let kind = header.seal
        let size = kind.digestBytes
        let good = [Bool](unsafeUninitializedCapacity: planes.count) { good, count in
            forEach(planes.count, workers) { index in
                withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { found in
                    kind.digest(UnsafeRawBufferPointer(rebasing: image.bytes[places[index]]), into: found)
                    let start = digests.lowerBound + index * size
                    good[index] = found.elementsEqual(image.bytes[start..<(start + size)])
                }
            }
            count = planes.count
        }
        if let bad = good.firstIndex(of: false) {
            throw CachesError.damaged(file: image.name, what: "tensor '\(planes[bad].name)' does not match its digest")
        }
        return CacheCard(header: header, image: image, layouts: layouts, planes: planes, places: places)
    }

    private func forEach(_ count: Int, _ workers: WorkerPool?, _ body: (Int) -> Void) {
        guard let workers else { return (0..<count).forEach(body) }
        workers.run(count) { index, _ in body(index) }
    }
}
