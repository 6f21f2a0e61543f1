import Caches
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Names, rights, locks, and folders that cannot be written.
@Suite struct CacheFolderTests {
    static let names = [
        "", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b\\c", "nul\0byte", "line\nbreak", "\u{1F600}", "e\u{301}",
        "\u{e9}",
        String(repeating: "long", count: 10_000), "CON", "name with spaces", "-rf", "*", "\u{202E}reversed",
    ]

    /// Any name works, every name has a cache of its own, and nothing is written outside the folder.
    @Test func anyNameWorks() throws {
        let small = try SmallCache()
        let path = small.folder + "/caches"
        for (index, name) in Self.names.enumerated() {
            let cache = small.cache(name)
            try small.append(10 + index, to: cache)
            try CacheFolder(path: path).agent(name).save(cache.snapshot(), identity: small.identity)
        }
        let caches = try CacheFolder(path: path)
        for (index, name) in Self.names.enumerated() {
            #expect(try small.load(caches.agent(name)).count == 10 + index)
        }
        let listing = try caches.list()
        #expect(listing.unreadable.isEmpty)
        #expect(Set(listing.agents.map { Array($0.agent.utf8) }) == Set(Self.names.map { Array($0.utf8) }))
        #expect(try FileManager.default.contentsOfDirectory(atPath: small.folder) == ["caches"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == Self.names.count + 1)
    }

    @Test func onlyTheOwnerMayLook() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder + "/a/b").agent("anna")
        let cache = small.cache()
        try small.append(700, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(small.folder + "/a/b") == 0o700)
        #expect(try mode(small.folder + "/a/b/lock") == 0o600)
        #expect(try mode(folder.path) == 0o700)
        #expect(folder.files.count >= 3)
        for path in folder.files { #expect(try mode(path) == 0o600) }
    }

    @Test func oneWriterOrSomeReaders() throws {
        let small = try SmallCache()
        var writer: CacheFolder? = try CacheFolder(path: small.folder)
        for access in [CacheFolder.Access.readWrite, .read] {
            #expect(throws: CachesError.inUse(folder: small.folder, owner: "process \(getpid())")) {
                try CacheFolder(path: small.folder, access: access)
            }
        }
        withExtendedLifetime(writer) {}
        writer = nil
        let readers = try [CacheFolder(path: small.folder, access: .read), CacheFolder(path: small.folder, access: .read)]
        #expect(throws: CachesError.self) { try CacheFolder(path: small.folder) }
        withExtendedLifetime(readers) {}
        // Looking leaves nothing behind.
        let other = small.folder + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        #expect(try CacheFolder(path: other, access: .read).list().agents.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other).isEmpty)
    }

    @Test func removing() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        #expect(throws: CachesError.noAgent(agent: "anna", folder: folder.path)) { try folder.remove() }
        let cache = small.cache()
        try small.append(700, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let loaded = try small.load(folder)
        try folder.remove()
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        #expect(SmallCache.same(loaded, cache))
        // Blocks that were there before are written again.
        try folder.save(loaded.snapshot(), identity: small.identity)
        #expect(SmallCache.same(try small.load(folder), cache))
    }

    /// On a full disk a save fails in one sentence, and what was saved before is whole.
    @Test(.enabled(if: Mount.isPossible, "mounting a small file system needs root"))
    func fullDisk() throws {
        let small = try SmallCache()
        let mount = try Mount(options: "size=1m")
        let folder = try CacheFolder(path: mount.path).agent("anna")
        let cache = small.cache()
        try small.append(500, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let before = try small.load(folder)
        try small.append(3000, to: cache)
        let error = #expect(throws: CachesError.self) {
            try folder.save(cache.snapshot(), identity: small.identity)
        }
        #expect("\(error!)".hasSuffix("No space left on device."), "\(error!)")
        #expect("\(error!)".hasPrefix("The cache of agent 'anna' was not saved, and the one saved before is whole: "))
        #expect(SmallCache.same(try small.load(folder), before))
        #expect(!folder.files.contains { $0.contains(".partial-") })
        try small.append(20, to: before)
        try folder.save(before.snapshot(), identity: small.identity)
        #expect(SmallCache.same(try small.load(folder), before))
    }

    /// From a folder that cannot be written caches are loaded; saves fail in one sentence.
    @Test(.enabled(if: Mount.isPossible, "mounting a small file system needs root"))
    func readOnlyFolder() throws {
        let small = try SmallCache()
        let mount = try Mount(options: "size=16m")
        let cache = small.cache()
        try small.append(500, to: cache)
        try CacheFolder(path: mount.path).agent("anna").save(cache.snapshot(), identity: small.identity)
        try mount.makeReadOnly()
        let caches = try CacheFolder(path: mount.path)
        #expect(caches.readOnlyReason == "Read-only file system")
        #expect(SmallCache.same(try small.load(caches.agent("anna")), cache))
        let store = AgentStore(
            folder: caches, identity: small.identity, layout: small.layout, pool: small.pool, workers: nil)
        let out = try store.checkOut("anna")
        #expect(throws: CachesError.readOnly(folder: mount.path, reason: "Read-only file system")) {
            try store.checkIn(out.cache, save: .now)
        }
        #expect(throws: CachesError.cannotUseFolder(folder: mount.path + "/new", reason: "Read-only file system")) {
            try CacheFolder(path: mount.path + "/new")
        }
    }
}

/// A small file system in memory, as long as this lives.
final class Mount {
    let path = FileManager.default.temporaryDirectory.path + "/kvlab-mount-\(UUID().uuidString)"

    static let isPossible = (try? Mount(options: "size=64k")) != nil

    init(options: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #if os(Linux)
            let isMounted = mount("kvlab", path, "tmpfs", 0, options) == 0
        #else
            let isMounted = false
        #endif
        guard isMounted else {
            rmdir(path)
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    func makeReadOnly() throws {
        #if os(Linux)
            guard mount("kvlab", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else {
                throw CocoaError(.fileWriteNoPermission)
            }
        #endif
    }

    deinit {
        #if os(Linux)
            umount2(path, Int32(MNT_DETACH))
            rmdir(path)
        #endif
    }
}
