import Foundation

/// Files that are whole at every moment: written under a temporary name beside the target, flushed to disk,
/// then renamed onto it, then the folder is flushed too.
enum AtomicFile {
    /// Temporary names are `.<name>.<random>.partial`; a run that is resumed removes those it finds.
    static let suffix = ".partial"

    /// Replaces the file at `path` by `bytes`.
    /// - Throws: ``ResultsError/cannotWrite(path:reason:)`` with the system's reason; the old file is whole then.
    static func replace(_ path: String, with bytes: [UInt8]) throws(ResultsError) {
        let temporary = temporaryName(for: path)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure(path) }
        var renamed = false
        defer { if !renamed { unlink(temporary) } }
        do {
            defer { close(file) }
            try writeAll(bytes, to: file, path: path)
            guard fsync(file) == 0 else { throw failure(path) }
        }
        guard rename(temporary, path) == 0 else { throw failure(path) }
        renamed = true
        try flushFolder(of: path)
    }

    /// Points the symbolic link at `path` to `target`, replacing an older link.
    static func link(_ path: String, to target: String) throws(ResultsError) {
        let temporary = temporaryName(for: path)
        guard symlink(target, temporary) == 0 else { throw failure(path) }
        guard rename(temporary, path) == 0 else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
        try flushFolder(of: path)
    }

    /// The whole file at `path`.
    /// - Throws: ``ResultsError/cannotRead(path:reason:)`` with the system's reason.
    static func bytes(at path: String) throws(ResultsError) -> [UInt8] {
        var bytes: [UInt8] = []
        try readChunks(of: path) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Hands the file at `path` to `body`, at most 1 MiB at a time.
    static func readChunks(
        of path: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(ResultsError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .cannotRead(path: path, reason: reason()) }
        defer { close(file) }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let n = read(file, chunk.baseAddress!, chunk.count)
            if n < 0 && errno == EINTR { continue }
            guard n >= 0 else { throw .cannotRead(path: path, reason: reason()) }
            if n == 0 { return }
            body(UnsafeRawBufferPointer(rebasing: chunk[..<n]))
        }
    }

    /// The system's words for `errno`.
    static func reason() -> String { String(cString: strerror(errno)) }

    private static func failure(_ path: String) -> ResultsError { .cannotWrite(path: path, reason: reason()) }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(ResultsError) {
        var done = 0
        while done < bytes.count {
            let n = bytes.withUnsafeBytes { write(file, $0.baseAddress! + done, $0.count - done) }
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else { throw failure(path) }
            done += n
        }
    }

    private static func flushFolder(of path: String) throws(ResultsError) {
        let folder = open(self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(path) }
        defer { close(folder) }
        // Some file systems cannot flush a folder and say so with EINVAL; the rename is all they offer.
        guard fsync(folder) == 0 || errno == EINVAL else { throw .cannotFlush(path: path, reason: reason()) }
    }

    private static func temporaryName(for path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        return "\(folder(of: path))/.\(name).\(random)\(suffix)"
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
