import Foundation
import Schemes
import Tensors

/// A part of an agent's context to be handed to another agent: tokens, their keys and values, and all that must match,
/// in one safetensors file whose bytes are held as they are. See ``CardHeader`` for the file.
///
/// A card is made from a cache (``make(from:identity:_:turn:workers:)``), or opened from a file or from received bytes
/// (``SealedCard``) and then known to be as it was made.
public struct CacheCard: Sendable {
    public let header: CardHeader
    let image: CardImage
    let layouts: [CacheLayout]
    let planes: [CardPlane]
    /// Where each plane lies in the file.
    let places: [Range<Int>]

    /// What errors call it: its file, or where it came from.
    public var name: String { image.name }
    /// The whole file.
    public var bytes: UnsafeRawBufferPointer { image.bytes }

    /// Bytes of keys and values.
    public var payloadBytes: Int { planes.reduce(0) { $0 + $1.byteCount } }

    /// How many bytes of keys and values differ from those of a card of the same tokens and precisions.
    public func differingBytes(from other: CacheCard) -> Int {
        precondition(planes.map(\.name) == other.planes.map(\.name) && planes.map(\.shape) == other.planes.map(\.shape), "cards alike")
        return planes.indices.reduce(0) { $0 + zip(plane($1), other.plane($1)).count { $0 != $1 } }
    }

    /// Writes the file, with mode 0600.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``; a file that was there before is whole then.
    public func write(to path: String) throws { try image.write(to: path) }

    /// The bytes of a plane, [heads, rows, bytes per token].
    func plane(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[places[index]]) }

    /// Where the planes of a layer start in ``planes``.
    func firstPlane(layer: Int, _ kind: RowKind, scheme: Int) -> Int? {
        planes.firstIndex { $0.layer == layer && $0.kind == kind && $0.scheme == scheme }
    }

    /// - Throws: ``CachesError/mismatch(file:what:expected:found:)`` for the first thing that differs from what the
    ///   receiver has.
    /// - Parameter anyScheme: may rows be in other schemes than the receiver's?
    public func check(identity: CacheIdentity, layout: CacheLayout, anyScheme: Bool = false) throws {
        try identity.check(header.identity, file: image.name)
        for (scheme, found) in zip(header.precision.schemes, layouts) {
            let expected = anyScheme
                ? try CacheLayout(spec: layout.spec, scheme: scheme, windowPolicy: layout.windowPolicy) : layout
            try expected.check(found, file: image.name)
        }
    }
}

/// The bytes of a card: in memory, or a mapped file.
final class CardImage: @unchecked Sendable {
    /// What errors call it: the file, or where it came from.
    let name: String
    let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject

    init(_ memory: AlignedBuffer, count: Int, name: String) {
        precondition(count <= memory.byteCount)
        self.name = name
        bytes = UnsafeRawBufferPointer(start: memory.pointer, count: count)
        owner = memory
    }

    init(path: String) throws {
        let file = try MappedFile(path: path)
        name = path
        bytes = file.bytes
        owner = file
    }

    func prefetch() { (owner as? MappedFile)?.prefetch() }

    func write(to path: String) throws { try WholeFile.write(to: path, bytes) }
}
