#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// Puts a file's pages into the system's cache or out of it, and looks where they are.
enum PageCacheControl {
    /// Lets the system forget the file's pages. Where it cannot be told to (macOS), nothing happens, and
    /// ``state(of:)`` says so.
    static func drop(_ path: String) {
        #if os(Linux)
            withDescriptor(path) { descriptor in
                fsync(descriptor)
                posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
            }
        #endif
    }

    /// Reads the file once.
    static func fill(_ path: String) {
        withDescriptor(path) { descriptor in
            let size = 1 << 20
            let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
            defer { buffer.deallocate() }
            while read(descriptor, buffer, size) > 0 {}
        }
    }

    /// "resident" when at least 95 % of the files' pages are in memory, "dropped" when at most 5 % are, else "partly resident".
    static func state(of paths: [String]) -> String {
        var (pages, resident) = (0, 0)
        for path in paths {
            withDescriptor(path) { descriptor in
                let size = Int(lseek(descriptor, 0, SEEK_END))
                guard size > 0, let map = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), map != MAP_FAILED else { return }
                defer { munmap(map, size) }
                let page = Int(sysconf(Int32(_SC_PAGESIZE)))
                let count = (size + page - 1) / page
                #if os(Linux)
                    var flags = [UInt8](repeating: 0, count: count)
                #else
                    var flags = [CChar](repeating: 0, count: count)
                #endif
                guard mincore(map, size, &flags) == 0 else { return }
                pages += count
                resident += flags.count { $0 & 1 == 1 }
            }
        }
        let fraction = pages == 0 ? 1 : Double(resident) / Double(pages)
        return fraction >= 0.95 ? "resident" : fraction <= 0.05 ? "dropped" : "partly resident"
    }

    private static func withDescriptor(_ path: String, _ body: (Int32) -> Void) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        body(descriptor)
        close(descriptor)
    }
}
