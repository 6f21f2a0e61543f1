import Crypto
import Foundation
import Synchronization

/// One agent's cache on disk: a folder of segment files that are written once, and a manifest that says which are in use.
///
/// A save writes new segments and then a new manifest under a temporary name, flushes both and renames the manifest into
/// place: at every moment the folder holds the old state or the new one, whole. What no manifest names is removed.
public final class AgentFolder: Sendable {
    /// Stands for this folder in blocks that were saved here.
    final class Token: Sendable {}

    /// The agent's name, which is data: the folder is called after its SHA-256.
    public let agent: String
    public let path: String
    let token = Token()
    let key: SymmetricKey?
    /// What is on disk, as far as is known; held during a save.
    let state = Mutex(State())

    struct State {
        var manifest: Manifest?
        /// Was the folder looked at?
        var isKnown = false
        /// Number of the next segment file.
        var nextSegment = 0
    }

    /// - Parameter id: what the folder is called.
    init(agent: String, path: String, id: String, key: CacheKey?) {
        self.agent = agent
        self.path = path
        self.key = key?.agentKey(id: id)
    }

    /// Whether a cache was saved here.
    public var exists: Bool { access("\(path)/\(Manifest.name)", F_OK) == 0 }

    /// Paths of the files in the folder.
    public var files: [String] { names().sorted().map { "\(path)/\($0)" } }

    /// Bytes of all files in the folder; 0 where there is none.
    public var diskBytes: Int { files.reduce(0) { $0 + Self.size($1) } }

    /// When the cache was last saved.
    public var savedAt: Date? {
        (try? FileManager.default.attributesOfItem(atPath: "\(path)/\(Manifest.name)"))?[.modificationDate] as? Date
    }

    /// Removes the cache from disk. Caches in memory that were loaded from it stay whole.
    /// - Throws: ``CachesError/noAgent(agent:folder:)`` or ``CachesError/cannotUseFolder(folder:reason:)``.
    public func remove() throws {
        try state.withLock { state in
            guard exists else { throw CachesError.noAgent(agent: agent, folder: path) }
            state = State()
            // The manifest first: without it the rest is nothing.
            guard unlink("\(path)/\(Manifest.name)") == 0 else { throw failure() }
            for name in names() where unlink("\(path)/\(name)") != 0 { throw failure() }
            guard rmdir(path) == 0 else { throw failure() }
        }
    }

    private func failure() -> CachesError {
        .cannotUseFolder(folder: path, reason: String(cString: strerror(errno)))
    }

    /// Files in the folder.
    func names() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
