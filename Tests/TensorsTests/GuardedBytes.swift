import Foundation

/// Calls `body` with `contents` right before unreadable memory, so that a read past their end is a crash and not luck.
@discardableResult
func withGuardedBytes<T>(
    _ contents: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws -> T
) rethrows -> T {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let whole = (contents.count + page - 1) / page * page
    let base = mmap(nil, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)!
    defer { munmap(base, whole + page) }
    mprotect(base + whole, page, PROT_NONE)
    let start = base + (whole - contents.count)
    UnsafeMutableRawBufferPointer(start: start, count: contents.count).copyBytes(from: contents)
    return try body(UnsafeRawBufferPointer(start: start, count: contents.count))
}
