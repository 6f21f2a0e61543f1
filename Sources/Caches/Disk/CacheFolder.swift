import Crypto
import Foundation
import Synchronization

/// A folder of agents' caches, used by one process at a time. For its owner only: folders 0700, files 0600.
public final class CacheFolder: Sendable {
    /// What the folder is opened for.
    public enum Access: Sendable {
        /// To load and save. The folder is made where it is not there. Where it cannot be written, caches are loaded
        /// from it and saves fail.
        case readWrite
        /// To look at, while no one writes.
        case read
    }

    public let path: String
    public let isEncrypted: Bool
    private let key: CacheKey?
    private let lock: Int32
    /// Why nothing can be written, if so.
    public let readOnlyReason: String?
    private let agents = Mutex<[String: AgentFolder]>([:])

    private static let lockName = "lock"

    /// - Parameter key: what the caches are encrypted with; nil when they are not.
    /// - Throws: ``CachesError/inUse(folder:owner:)`` when another process has it,
    ///   ``CachesError/cannotUseFolder(folder:reason:)``.
    public init(path: String, access: Access = .readWrite, key: CacheKey? = nil) throws {
        self.path = path
        self.key = key
        isEncrypted = key != nil
        if access == .readWrite { try Self.makeFolders(path) }
        guard Self.isFolder(path) else {
            throw CachesError.cannotUseFolder(folder: path, reason: "there is no such folder")
        }
        (lock, readOnlyReason) = try Self.lock(path, access)
    }

    deinit { if lock >= 0 { close(lock) } }

    /// The folder of an agent, whether there is one or not.
    public func agent(_ name: String) -> AgentFolder {
        let id = Self.id(of: name)
        return agents.withLock { agents in
            if let known = agents[id] { return known }
            let folder = AgentFolder(agent: name, path: "\(path)/\(id)", id: id, key: key)
            agents[id] = folder
            return folder
        }
    }

    /// What a folder of agents' caches holds.
    public struct Listing: Sendable {
        public var agents: [StoredAgent] = []
        /// Folders whose manifest cannot be used, and why.
        public var unreadable: [(path: String, reason: String)] = []
    }

    /// Every agent's manifest; the blocks are not looked at.
    /// - Throws: ``CachesError/cannotUseFolder(folder:reason:)``.
    public func list() throws -> Listing {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw CachesError.cannotUseFolder(folder: path, reason: "its files cannot be listed")
        }
        var listing = Listing()
        for name in names.sorted() where name != Self.lockName {
            let folder = "\(path)/\(name)"
            guard access("\(folder)/\(Manifest.name)", F_OK) == 0 else { continue }
            do {
                listing.agents.append(try agent(in: folder, id: name))
            } catch {
                listing.unreadable.append((folder, "\(error)"))
            }
        }
        listing.agents.sort { ($0.agent, $0.tokenCount) < ($1.agent, $1.tokenCount) }
        return listing
    }

    /// Opens an agent's folder by its id: the name is in its manifest, and must be the one that the id is made of.
    private func agent(in folder: String, id: String) throws -> StoredAgent {
        let (manifest, image, _) = try Manifest.read(in: folder, key: key?.agentKey(id: id))
        guard Self.id(of: manifest.agent) == id else {
            throw CachesError.mismatch(
                file: image.path, what: "agent", expected: "the one of this folder", found: manifest.agent)
        }
        return try agent(manifest.agent).open(identity: nil, layout: nil)
    }

    /// What an agent's folder is called: 64 hexadecimal digits, whatever the name.
    static func id(of name: String) -> String {
        SHA256.hash(data: Data(name.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    // MARK: Lock

    /// - Returns: the descriptor of the lock file, or -1, and why nothing can be written.
    private static func lock(_ folder: String, _ access: Access) throws -> (Int32, String?) {
        let path = "\(folder)/\(lockName)"
        var readOnly: String?
        // Who only looks leaves no trace; a folder that nobody ever wrote to needs no lock.
        var descriptor = access == .read
            ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0, access == .read, errno == ENOENT { return (-1, nil) }
        if descriptor < 0, access == .readWrite, [EROFS, EACCES, EPERM, ENOSPC, EDQUOT].contains(errno) {
            readOnly = String(cString: strerror(errno))
            descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            if descriptor < 0 { return (-1, readOnly) }
        }
        guard descriptor >= 0 else {
            throw CachesError.cannotUseFolder(folder: folder, reason: String(cString: strerror(errno)))
        }
        let kind = access == .read || readOnly != nil ? LOCK_SH : LOCK_EX
        guard flock(descriptor, kind | LOCK_NB) == 0 else {
            let reason = errno
            defer { close(descriptor) }
            guard reason == EWOULDBLOCK else {
                throw CachesError.cannotUseFolder(folder: folder, reason: String(cString: strerror(reason)))
            }
            throw CachesError.inUse(folder: folder, owner: owner(descriptor))
        }
        if kind == LOCK_EX {
            let text = "\(getpid())\n"
            ftruncate(descriptor, 0)
            _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        }
        return (descriptor, readOnly)
    }

    private static func owner(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)).map { "process \($0)" } ?? "another process"
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes `path` and the folders above it where they are missing, for their owner only.
    private static func makeFolders(_ path: String) throws {
        if isFolder(path) || path.isEmpty { return }
        if let slash = path.lastIndex(of: "/") { try makeFolders(String(path[..<slash])) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST || path.hasSuffix("/") else {
            throw CachesError.cannotUseFolder(folder: path, reason: String(cString: strerror(errno)))
        }
    }
}
