import Tensors

/// Scratch memory that is laid out once: sizes first, then one allocation, then pointers into it.
struct Arena {
    private(set) var byteCount = 0

    /// Where `count` elements of `T` will lie, 64-byte aligned.
    mutating func reserve<T>(_ count: Int, of type: T.Type = T.self) -> Slice<T> {
        defer { byteCount += (count * MemoryLayout<T>.stride + 63) / 64 * 64 }
        return Slice(offset: byteCount)
    }

    struct Slice<T>: Sendable {
        fileprivate let offset: Int
    }
}

extension AlignedBuffer {
    /// The memory of a slice of the arena that this buffer was made for.
    func slice<T>(_ slice: Arena.Slice<T>) -> UnsafeMutablePointer<T> {
        (pointer + slice.offset).assumingMemoryBound(to: T.self)
    }
}
