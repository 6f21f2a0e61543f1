#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// A whole file mapped read-only. Pages are read when they are first touched.
public final class MappedFile: @unchecked Sendable {
    public let path: String
    public let bytes: UnsafeRawBufferPointer

    /// - Throws: ``TensorsError/cannotOpen(file:reason:)``; an empty file is refused too.
    public init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw TensorsError.cannotOpen(file: path, reason: TensorsError.system()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw TensorsError.cannotOpen(file: path, reason: TensorsError.system())
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TensorsError.cannotOpen(file: path, reason: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else { throw TensorsError.malformed(file: path, offset: 0, problem: "the file is empty") }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw TensorsError.cannotOpen(file: path, reason: TensorsError.system())
        }
        self.path = path
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count) }

    /// Asks the system to read the whole file ahead.
    public func prefetch() {
        madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count, MADV_WILLNEED)
    }
}
