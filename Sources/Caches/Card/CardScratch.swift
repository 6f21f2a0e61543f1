import CKernels
import Schemes
import Tensors

/// Memory of one worker for rows on their way between schemes: 256 rows as floats, and packed.
struct CardScratch {
    let floats: UnsafeMutablePointer<Float>
    private let packed: UnsafeMutableRawPointer
    private let owners: [AlignedBuffer]

    /// One for each worker.
    static func all(_ layouts: [CacheLayout], workers: WorkerPool?) throws -> [CardScratch] {
        let segments = layouts.flatMap { $0.layers.flatMap { [$0.keys, $0.values].compactMap { $0 } } }
        let width = segments.map(\.width).max() ?? 0
        let bytes = segments.map(\.byteCount).max() ?? 0
        return try (0..<(workers?.threadCount ?? 1)).map { _ in
            let floats = try AlignedBuffer(count: blockTokens * width, of: Float.self)
            let packed = try AlignedBuffer(byteCount: bytes)
            return CardScratch(floats: floats.bound(), packed: packed.pointer, owners: [floats, packed])
        }
    }

    /// Encodes the first `count` rows of ``floats`` and gives the bytes of each plane.
    func encode(count: Int, _ layout: SegmentLayout, isa: kl_isa, _ put: (_ plane: Int, UnsafeRawBufferPointer) -> Void) {
        let segment = layout.segment(at: packed)
        layout.scheme.encode(floats, count: count, stride: layout.width, at: 0, into: segment, isa: isa)
        for (index, plane) in layout.planes.enumerated() {
            put(index, UnsafeRawBufferPointer(start: segment.plane(index, token: 0, as: UInt8.self), count: count * plane.bytesPerToken))
        }
    }

    /// Decodes `count` rows into ``floats`` from the bytes of each plane.
    func decode(count: Int, _ layout: SegmentLayout, isa: kl_isa, _ take: (_ plane: Int, UnsafeMutableRawBufferPointer) -> Void) {
        let segment = layout.segment(at: packed)
        for (index, plane) in layout.planes.enumerated() {
            take(
                index,
                UnsafeMutableRawBufferPointer(
                    start: segment.plane(index, token: 0, as: UInt8.self), count: count * plane.bytesPerToken))
        }
        layout.scheme.decode(segment, from: 0, count: count, into: floats, isa: isa)
    }
}
