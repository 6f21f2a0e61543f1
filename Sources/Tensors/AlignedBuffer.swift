#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// Zeroed memory, page aligned, taken from the system when it is made and given back when it is released.
///
/// Pages count as resident only once they are touched. Not synchronised: writers keep to disjoint parts.
public final class AlignedBuffer: @unchecked Sendable {
    public let pointer: UnsafeMutableRawPointer
    public let byteCount: Int

    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public init(byteCount: Int) throws {
        precondition(byteCount >= 0)
        let size = max(byteCount, 1)
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            address != MAP_FAILED
        else { throw TensorsError.outOfMemory(bytes: byteCount) }
        #if os(Linux)
            if size >= 1 << 22 { madvise(address, size, MADV_HUGEPAGE) }
        #endif
        pointer = address
        self.byteCount = byteCount
    }

    /// Room for `count` elements of `type`.
    public convenience init<T>(count: Int, of type: T.Type) throws {
        try self.init(byteCount: count * MemoryLayout<T>.stride)
    }

    deinit { munmap(pointer, max(byteCount, 1)) }

    /// The memory as elements of `type`.
    public func bound<T>(to type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        pointer.assumingMemoryBound(to: type)
    }
}
