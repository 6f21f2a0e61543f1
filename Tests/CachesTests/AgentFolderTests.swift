import Caches
import Foundation
import Schemes
import Tensors
import Testing

/// Saving, loading and going on.
@Suite struct AgentFolderTests {
    @Test(
        arguments: [
            "affine-q4-g64", "fp16", "k=q8_0,v=affine-q2-g32", "layers 1,2: fp16; rest: q4_0", "kivi-2",
            "layers 0: fp16; layers 1: k=kivi-4,v=q8_0; rest: k=fp16,v=kivi-2",
        ], [0, 1, 129, 255, 256, 384, 700, 1024, 2000])
    func loadGivesWhatWasSaved(scheme: String, tokens: Int) throws {
        let small = try SmallCache(scheme: scheme)
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(tokens, to: cache)
        cache.textHash = "abc"
        try folder.save(cache.snapshot(), identity: small.identity)
        let saved = try SmallCache.files(folder.path)
        for residence in [StoredAgent.Residence.mapped, .copied] {
            let loaded = try small.load(folder, residence: residence)
            #expect(SmallCache.same(loaded, cache))
            #expect(loaded.textHash == "abc")
            #expect(loaded.storedBytes == cache.storedBytes)
            #expect(loaded.truncatable == cache.truncatable)
            try folder.save(loaded.snapshot(), identity: small.identity)
            #expect(try SmallCache.files(folder.path) == saved)
        }
        // A second folder gets the same bytes.
        let other = try CacheFolder(path: small.folder + "/other").agent("anna")
        try other.save(small.load(folder).snapshot(), identity: small.identity)
        #expect(try SmallCache.files(other.path) == saved)
    }

    /// Every turn writes its own blocks and the rows of the last one, and nothing again.
    @Test func aTurnWritesItsOwnTokens() throws {
        let small = try SmallCache(window: nil)
        let folder = try CacheFolder(path: small.folder).agent("anna")
        var cache = small.cache()
        try small.append(16_000, to: cache)
        let whole = try folder.save(cache.snapshot(), identity: small.identity).bytesWritten
        let column = small.layout.layers.reduce(0) { $0 + $1.blockBytes }
        #expect(whole > 62 * column)
        for turn in 0..<10 {
            try small.append(100, to: cache)
            let report = try folder.save(cache.snapshot(), identity: small.identity)
            #expect(report.bytesWritten <= 2 * column, "turn \(turn)")
            #expect(report.blocksWritten <= small.layout.layers.count)
            if turn == 5 { cache = try small.load(folder) }
        }
        let loaded = try small.load(folder)
        #expect(SmallCache.same(loaded, cache))
        // Segments are files that safetensors readers open.
        for path in folder.files { _ = try SafetensorsFile(path: path) }
    }

    /// Random turns, windows, going back and other continuations: what is loaded is always what was saved.
    @Test(arguments: 0..<8, ["affine-q4-g64", "kivi-2"])
    func turnsInRandomOrder(seed: Int, scheme: String) throws {
        let small = try SmallCache(scheme: scheme, window: [nil, 1, 100, 256, 300, 600][seed % 6])
        let folder = try CacheFolder(path: small.folder).agent("anna")
        var generator = SplitMix(seed: UInt64(seed))
        var cache = small.cache()
        for turn in 0..<40 {
            if Int.random(in: 0..<3, using: &generator) == 0 {
                let kept = cache.truncatable
                let isWhole = Int.random(in: 0..<8, using: &generator) == 0
                try cache.truncate(to: isWhole ? 0 : kept.randomElement(using: &generator)!)
            }
            try small.append(Int.random(in: 1...400, using: &generator), to: cache, seed: turn)
            try folder.save(cache.snapshot(), identity: small.identity)
            let loaded = try small.load(folder)
            #expect(SmallCache.same(loaded, cache))
            // Old state does not pile up: at most twice what is needed, and the windows' last segments.
            #expect(folder.diskBytes < 3 * cache.storedBytes + 200_000)
            if Bool.random(using: &generator) { cache = loaded }
        }
    }

    /// A snapshot stays what it was while the agent goes back and writes elsewhere.
    @Test func snapshotsDoNotChange() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(600, to: cache)
        let twin = small.cache()
        try small.append(600, to: twin)
        let snapshot = try cache.snapshot()
        try cache.truncate(to: cache.truncatable.lowerBound)
        try small.append(500, to: cache, seed: 3)
        try folder.save(snapshot, identity: small.identity)
        let loaded = try small.load(folder)
        #expect(SmallCache.same(loaded, twin))
        try folder.save(cache.snapshot(), identity: small.identity)
        #expect(SmallCache.same(try small.load(folder), cache))
        // What was loaded before still is what it was: its files are mapped, though their names are gone.
        #expect(SmallCache.same(loaded, twin))
    }

    /// Room that a failed step left does not count.
    @Test func reservedRoomIsNotSaved() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(250, to: cache)
        try cache.reserve(600)
        try folder.save(cache.snapshot(), identity: small.identity)
        #expect(SmallCache.same(try small.load(folder), cache))
    }

    @Test func refusesWhatDoesNotMatch() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(600, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let manifest = folder.path + "/manifest.safetensors"

        func refusal(_ change: (inout CacheIdentity) -> Void = { _ in }, layout: CacheLayout? = nil) -> String {
            var identity = small.identity
            change(&identity)
            do {
                _ = try folder.open(identity: identity, layout: layout ?? small.layout)
                return ""
            } catch { return "\(error)" }
        }
        func scheme(_ name: String) throws -> CacheLayout {
            try CacheLayout(spec: small.layout.spec, scheme: CacheScheme(expression: name))
        }
        #expect(refusal { $0.model = "renamed" } == "")
        #expect(
            refusal { $0.weights = "w2" } == "\(manifest) was made with weights 'w1' and not 'w2'; it is not used.")
        #expect(
            refusal { $0.tokenizer = "t2" } == "\(manifest) was made with tokenizer 't1' and not 't2'; it is not used.")
        #expect(refusal { $0.rope = "r2" } == "\(manifest) was made with RoPE 'r1' and not 'r2'; it is not used.")
        #expect(
            try refusal(layout: scheme("affine-q4-g32"))
                == "\(manifest) was made with scheme 'affine-q4-g64' and not 'affine-q4-g32'; it is not used.")
        let full = try CacheLayout(spec: small.layout.spec, scheme: small.layout.scheme, windowPolicy: .full)
        #expect(
            refusal(layout: full) == "\(manifest) was made with window policy 'window' and not 'full'; it is not used.")
    }
}

/// Seeded random numbers.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
