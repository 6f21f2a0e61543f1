import Foundation

/// How fast a folder's disk takes and gives back a file, one thread, 1 MiB at a time.
struct DiskRate {
    /// Where the bytes that were read came from.
    enum Cache: String {
        /// From the disk: the page cache was emptied of the file, and `mincore` agrees.
        case dropped
        /// From the disk as far as the system was asked (`F_NOCACHE`), which it does not confirm.
        case bypassed
        /// At least in part from the page cache, which would not drop the file: no figure of the disk.
        case resident
    }

    /// With the flush to disk.
    var writeBytesPerSecond: Double
    var readBytesPerSecond: Double
    /// 256 MiB, or what a slow disk took in the time given.
    var bytes: Int
    var readCache: Cache

    /// Writes and reads a temporary file, for about a second and a half each at most.
    /// - Throws: ``ResultsError/cannotWrite(path:reason:)`` or ``ResultsError/cannotRead(path:reason:)``.
    static func measure(in folder: String, bytes limit: Int = 256 << 20) throws(ResultsError) -> DiskRate {
        let path = "\(folder)/.disk-rate.\(getpid())\(AtomicFile.suffix)"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotWrite(path: path, reason: AtomicFile.reason()) }
        unlink(path)  // gone with this process, whatever happens
        defer { close(file) }
        #if os(macOS)
            _ = fcntl(file, F_NOCACHE, 1)
        #endif
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { chunk.deallocate() }
        let write = try writeRate(file, chunk, limit, path)
        let cache = dropCache(of: file, bytes: write.bytes)
        let read = try readRate(file, chunk, write.bytes, path)
        return DiskRate(
            writeBytesPerSecond: write.rate, readBytesPerSecond: read, bytes: write.bytes, readCache: cache)
    }

    private static let budget = Duration.milliseconds(1500)

    private static func writeRate(
        _ file: Int32, _ chunk: UnsafeMutableRawBufferPointer, _ limit: Int, _ path: String
    ) throws(ResultsError) -> (rate: Double, bytes: Int) {
        // Random, so that a file system that compresses or shares blocks gains nothing.
        var random = SplitMix64(seed: 1)
        let clock = ContinuousClock()
        var spent = Duration.zero
        var bytes = 0
        while bytes < limit && spent < budget {
            for offset in stride(from: 0, to: chunk.count, by: 8) {
                chunk.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
            }
            let start = clock.now
            guard pwrite(file, chunk.baseAddress!, chunk.count, off_t(bytes)) == chunk.count else {
                throw .cannotWrite(path: path, reason: AtomicFile.reason())
            }
            bytes += chunk.count
            // Flushed every 32 MiB, so that a slow disk is noticed in time.
            if bytes % (32 << 20) == 0 || bytes >= limit, fsync(file) != 0 {
                throw .cannotWrite(path: path, reason: AtomicFile.reason())
            }
            spent += clock.now - start
        }
        let start = clock.now
        guard fsync(file) == 0 else { throw .cannotWrite(path: path, reason: AtomicFile.reason()) }
        spent += clock.now - start
        return (Double(bytes) / (spent / .seconds(1)), bytes)
    }

    private static func readRate(
        _ file: Int32, _ chunk: UnsafeMutableRawBufferPointer, _ limit: Int, _ path: String
    ) throws(ResultsError) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var bytes = 0
        while bytes < limit && clock.now - start < budget {
            let n = pread(file, chunk.baseAddress!, chunk.count, off_t(bytes))
            guard n > 0 else { throw .cannotRead(path: path, reason: AtomicFile.reason()) }
            bytes += n
        }
        return Double(bytes) / ((clock.now - start) / .seconds(1))
    }

    private static func dropCache(of file: Int32, bytes: Int) -> Cache {
        #if os(Linux)
            guard posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0,
                let map = mmap(nil, bytes, PROT_READ, MAP_SHARED, file, 0), map != MAP_FAILED
            else { return .resident }
            defer { munmap(map, bytes) }
            let page = sysconf(Int32(_SC_PAGESIZE))
            var resident = [UInt8](repeating: 0, count: (bytes + page - 1) / page)
            guard mincore(map, bytes, &resident) == 0 else { return .resident }
            return resident.contains { $0 & 1 == 1 } ? .resident : .dropped
        #else
            return .bypassed
        #endif
    }
}
