import Caches
import Foundation
import Tensors
import Testing

/// Whatever happens to the files is noticed, and told in one sentence.
@Suite struct AgentFolderDamageTests {
    /// 250 trials, or what KVLAB_DAMAGE_TRIALS says.
    static let trials = Int(ProcessInfo.processInfo.environment["KVLAB_DAMAGE_TRIALS"] ?? "") ?? 250

    @Test func everyDamageIsNoticed() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        for part in [700, 300, 40] {
            try small.append(part, to: cache)
            try folder.save(cache.snapshot(), identity: small.identity)
        }
        let block = small.layout.layers[0].blockBytes
        let whole = try SmallCache.files(folder.path)
        let names = whole.keys.sorted()
        #expect(names.count >= 4)
        var generator = SplitMix(seed: 1)
        for trial in 0..<Self.trials {
            let name = names.randomElement(using: &generator)!
            var bytes = whole[name]!
            switch trial % 4 {
            case 0: bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))
            case 1 where bytes.count > 2 * block:
                // Two blocks change places.
                let end = bytes.count
                let (a, b) = (bytes[(end - block)..<end], bytes[(end - 2 * block)..<(end - block)])
                bytes.replaceSubrange((end - 2 * block)..<end, with: a + b)
                #expect(a != b)
            default:
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            try bytes.write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
            do {
                _ = try small.load(folder)
                Issue.record("trial \(trial): damage of \(name) was not noticed")
            } catch {
                let sentence = "\(error)"
                #expect(sentence.hasSuffix(".") && sentence.contains(name) && !sentence.contains("\n"), "\(sentence)")
            }
            try whole[name]!.write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
        }
        #expect(SmallCache.same(try small.load(folder), cache))
        #expect(small.pool.usedBytes == cache.storedBytes)
    }

    /// A file that is gone, one of another agent, and an older one of the same agent.
    @Test func exchangedFiles() throws {
        let small = try SmallCache()
        let caches = try CacheFolder(path: small.folder)
        let folders = ["anna", "bert"].map { caches.agent($0) }
        for (index, folder) in folders.enumerated() {
            let cache = small.cache(folder.agent)
            try small.append(700, to: cache, seed: index)
            try folder.save(cache.snapshot(), identity: small.identity)
        }
        let manifests = folders.map { URL(fileURLWithPath: $0.path + "/manifest.safetensors") }
        let segments = folders.map { URL(fileURLWithPath: $0.path + "/segment-0.safetensors") }
        let segment = try Data(contentsOf: segments[0])
        try Data(contentsOf: segments[1]).write(to: segments[0])
        #expect(
            throws: CachesError.damaged(file: segments[0].path, what: "its header does not match its checksum")
        ) { try small.load(folders[0]) }
        try segment.write(to: segments[0])
        _ = try small.load(folders[0])
        try Data(contentsOf: manifests[1]).write(to: manifests[0])
        #expect(
            throws: CachesError.mismatch(file: manifests[0].path, what: "agent", expected: "anna", found: "bert")
        ) { try small.load(folders[0]) }
        try FileManager.default.removeItem(at: segments[1])
        #expect(throws: TensorsError.cannotOpen(file: segments[1].path, reason: "No such file or directory")) {
            try small.load(folders[1])
        }
    }
}
