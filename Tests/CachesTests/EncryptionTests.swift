import Caches
import Foundation
import Tensors
import Testing

/// Caches encrypted at rest.
@Suite struct EncryptionTests {
    private let key: CacheKey
    private let small: SmallCache

    init() throws {
        key = try CacheKey([UInt8](repeating: 7, count: 32), source: "test")
        small = try SmallCache()
    }

    private func saved() throws -> AgentCache {
        let cache = small.cache("a secret name")
        for part in [900, 2500, 70] {
            try small.append(part, to: cache)
            try CacheFolder(path: small.folder, key: key).agent(cache.agent).save(
                cache.snapshot(), identity: small.identity)
        }
        return cache
    }

    @Test func roundTrip() throws {
        let cache = try saved()
        let caches = try CacheFolder(path: small.folder, key: key)
        let loaded = try small.load(caches.agent(cache.agent))
        #expect(SmallCache.same(loaded, cache))
        try small.append(300, to: loaded)
        let report = try caches.agent(cache.agent).save(loaded.snapshot(), identity: small.identity)
        #expect(report.blocksReused > report.blocksWritten)
        #expect(SmallCache.same(try small.load(caches.agent(cache.agent)), loaded))
        #expect(try caches.list().agents.map(\.agent) == [cache.agent])
    }

    @Test func filesSayNothing() throws {
        let cache = try saved()
        let block = UnsafeRawBufferPointer(start: cache.block(layer: 0, holding: 0), count: 512)
        for path in try CacheFolder(path: small.folder, key: key).agent(cache.agent).files {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            for word in [Data("a secret name".utf8), Data("layers".utf8), Data(block)] {
                #expect(data.range(of: word) == nil)
            }
        }
    }

    @Test func otherKeysAndNone() throws {
        let cache = try saved()
        let path = try CacheFolder(path: small.folder, key: key).agent(cache.agent).path + "/manifest.safetensors"
        #expect(throws: CachesError.needsKey(file: path)) {
            try small.load(CacheFolder(path: small.folder).agent(cache.agent))
        }
        let other = try CacheKey([UInt8](repeating: 8, count: 32), source: "test")
        #expect(throws: CachesError.wrongKey(file: path)) {
            try small.load(CacheFolder(path: small.folder, key: other).agent(cache.agent))
        }
    }

    @Test func damage() throws {
        let cache = try saved()
        let folder = try CacheFolder(path: small.folder, key: key).agent(cache.agent)
        var generator = SplitMix(seed: 4)
        for trial in 0..<60 {
            let url = URL(fileURLWithPath: folder.files.randomElement(using: &generator)!)
            let whole = try Data(contentsOf: url)
            var bytes = whole
            switch trial % 3 {
            case 0: bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))
            case 1 where bytes.count > 2 * ((1 << 20) + 28) + 16:
                // The first two chunks change places.
                let chunk = (1 << 20) + 28
                let (first, second) = (bytes[16..<(16 + chunk)], bytes[(16 + chunk)..<(16 + 2 * chunk)])
                bytes = bytes[..<16] + second + first + bytes[(16 + 2 * chunk)...]
            default: bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 16
            }
            try bytes.write(to: url)
            #expect(throws: (any Error).self) { try small.load(folder) }
            try whole.write(to: url)
        }
        #expect(SmallCache.same(try small.load(folder), cache))
    }

    @Test func keys() throws {
        let hexadecimal = try CacheKey(Array((String(repeating: "07", count: 32) + "\n").utf8), source: "test")
        let cache = try saved()
        #expect(SmallCache.same(try small.load(CacheFolder(path: small.folder, key: hexadecimal).agent(cache.agent)), cache))
        #expect(throws: CachesError.badKey(source: "test", problem: "it has 5 bytes")) {
            try CacheKey(Array("short".utf8), source: "test")
        }
        let file = small.folder + "/no-key"
        #expect(throws: CachesError.badKey(source: file, problem: "there is no such file, or it may not be read")) {
            try CacheKey(file: file)
        }
    }
}
