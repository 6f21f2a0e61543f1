#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

extension MappedFile {
    /// Gives back the memory of the whole pages in `range`; they are read again if they are touched again.
    public func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (range.lowerBound + page - 1) / page * page
        let end = min(range.upperBound, bytes.count) / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress! + start), end - start, MADV_DONTNEED)
    }

    /// Calls `body`, which touches few pages far from each other: nothing is read ahead of them, and all of it is given
    /// back.
    public func withScatteredReads<T>(_ body: () throws -> T) rethrows -> T {
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        madvise(start, bytes.count, MADV_RANDOM)
        defer {
            madvise(start, bytes.count, MADV_NORMAL)
            release(0..<bytes.count)
        }
        return try body()
    }
}
