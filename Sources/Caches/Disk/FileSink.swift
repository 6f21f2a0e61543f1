import Crypto
import Foundation

/// Writes a file that is whole or not there: a temporary name in the same folder, fsync, and a rename at the end.
/// With a key the file is encrypted on its way; see ``SealedChunks``.
final class FileSink {
    /// What temporary names start with; such files are left by a process that died, and removed at the next save.
    static let temporaryPrefix = ".partial-"

    private let folder: String
    private let name: String
    private let descriptor: Int32
    private let temporary: String
    private let key: SymmetricKey?
    private var pending: [UInt8] = []
    private var chunk = 0
    private var isDone = false
    /// Bytes that went to the file.
    private(set) var written = 0

    /// - Throws: ``FileFailure``, as everything here.
    init(folder: String, name: String, key: SymmetricKey?) throws {
        self.folder = folder
        self.name = name
        self.key = key
        temporary = "\(folder)/\(Self.temporaryPrefix)\(name)"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: "\(folder)/\(name)") }
        if key != nil {
            pending.reserveCapacity(SealedChunks.plainBytes)
            try SealedChunks.magic.withUnsafeBytes(write)
        }
    }

    deinit {
        close(descriptor)
        if !isDone { unlink(temporary) }
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws {
        guard key != nil else { return try write(bytes) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(SealedChunks.plainBytes - pending.count)
            pending.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
            if pending.count == SealedChunks.plainBytes { try flush(isLast: false) }
        }
    }

    /// Flushes the file to disk and gives it its name. The folder is not flushed: ``flushFolder(_:)`` does that.
    func finish() throws {
        if key != nil { try flush(isLast: true) }
        guard fsync(descriptor) == 0, rename(temporary, "\(folder)/\(name)") == 0 else {
            throw FileFailure(path: "\(folder)/\(name)")
        }
        isDone = true
    }

    /// Makes names in `folder` durable.
    static func flushFolder(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(path: folder) }
        defer { close(descriptor) }
        // Some file systems cannot flush a folder and say so with EINVAL; the rename is all they offer.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileFailure(path: folder) }
    }

    private func flush(isLast: Bool) throws {
        let sealed = try pending.withUnsafeBytes {
            try SealedChunks.seal($0, name: name, index: chunk, isLast: isLast, key: key!)
        }
        try sealed.withUnsafeBytes(write)
        pending.removeAll(keepingCapacity: true)
        chunk += 1
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = systemWrite(descriptor, rest.baseAddress!, min(rest.count, 1 << 30))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(path: "\(folder)/\(name)") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        written += bytes.count
    }
}

/// What the system says of a file: one sentence.
struct FileFailure: Error, CustomStringConvertible {
    let path: String
    let reason: String

    /// Takes the reason from `errno`.
    init(path: String) {
        self.path = path
        reason = String(cString: strerror(errno))
    }

    var description: String { "cannot write \(path): \(reason)." }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
