#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

extension AlignedBuffer {
    /// Gives the memory of the whole pages in `range` back to the system. What they hold afterwards is not defined.
    public func discard(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (range.lowerBound + page - 1) / page * page
        let end = min(range.upperBound, byteCount) / page * page
        guard start < end else { return }
        madvise(pointer + start, end - start, MADV_DONTNEED)
    }
}
