import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// A file that is written as a stream and is never there half: a temporary name first, then fsync, rename, and fsync
/// of the folder.
package final class WholeFile {
    /// Bytes put so far.
    private(set) var written = 0
    private let descriptor: Int32
    private let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Writes `path` with mode 0600 and what `body` puts into it.
    /// - Returns: the size of the file.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``, or what `body` throws; the old file, if any, is whole then.
    static func write(to path: String, _ body: (WholeFile) throws -> Void) throws -> Int {
        let temporary = path + ".part-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
        let file = WholeFile(descriptor: descriptor, path: path)
        do {
            try body(file)
            guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, path) == 0 else {
                throw TensorsError.cannotWrite(file: path, reason: TensorsError.system())
            }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        try syncFolder(of: path)
        return file.written
    }

    /// Writes `bytes` to `path`.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``.
    package static func write(to path: String, _ bytes: UnsafeRawBufferPointer) throws {
        _ = try write(to: path) { try $0.put(bytes) }
    }

    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``.
    func put(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Self.write(descriptor, rest.baseAddress!, min(rest.count, 1 << 30))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        written += bytes.count
    }

    private static func syncFolder(of path: String) throws {
        let descriptor = open(parentFolder(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
        fsync(descriptor)
        close(descriptor)
    }

    /// The system's `write`, which the function above hides.
    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Darwin)
            Darwin.write(descriptor, bytes, count)
        #else
            Musl.write(descriptor, bytes, count)
        #endif
    }
}
