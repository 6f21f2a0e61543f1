import Caches
import Foundation
import Schemes
import Tensors
import Testing

/// Exports and imports. What Python says of the files is in `scripts/check-cache-exports.py`.
@Suite struct CacheExportTests {
    /// An export that is imported elsewhere and exported again is the same file.
    @Test(
        arguments: ["affine-q4-g64", "fp32", "k=q8_0,v=affine-q2-g32", "layers 0: fp16; rest: q4_0", "kivi-2"],
        [0, 300, 1500])
    func thereAndBack(scheme: String, tokens: Int) throws {
        let small = try SmallCache(scheme: scheme)
        let caches = try CacheFolder(path: small.folder + "/caches")
        let cache = small.cache()
        cache.textHash = "t"
        // Several segments, so that the file cannot be a copy of one.
        for part in [tokens / 3, tokens / 2, tokens - tokens / 3 - tokens / 2] {
            try small.append(part, to: cache)
            try caches.agent("anna").save(cache.snapshot(), identity: small.identity)
        }
        let file = small.folder + "/anna.safetensors"
        try caches.agent("anna").open(identity: nil, layout: nil).export(.safetensors, to: file)
        let found = try CacheImport(path: file)
        #expect(found.agent == "anna" && found.tokenCount == tokens && found.identity == small.identity)
        #expect(throws: CachesError.agentExists(agent: "anna", folder: caches.path)) { try found.save(in: caches) }
        try found.save(in: caches, as: "bert")
        let loaded = try small.load(caches.agent("bert"))
        #expect(SmallCache.same(loaded, cache) && loaded.textHash == "t")
        let elsewhere = try CacheFolder(path: small.folder + "/elsewhere")
        try found.save(in: elsewhere)
        try elsewhere.agent("anna").open(identity: nil, layout: nil).export(.safetensors, to: file + "2")
        #expect(FileManager.default.contentsEqual(atPath: file, andPath: file + "2"))
    }

    @Test func decodedRows() throws {
        let small = try SmallCache(scheme: "fp32")
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(1000, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let path = small.folder + "/decoded.safetensors"
        try folder.open(identity: nil, layout: nil).export(.decoded, to: path)
        let file = try SafetensorsFile(path: path)
        #expect(try file.entry("layers.0.keys").shape == [1, 2, 1000, 64])
        // The window's blocks: from token 512 on.
        let windowed = try file.entry("layers.1.values")
        #expect(windowed.shape == [1, 2, 488, 64])
        // Head 1, token 600, element 5.
        let element = (488 + 600 - 512) * 64 + 5
        let value = file.bytes(of: windowed).loadUnaligned(fromByteOffset: 4 * element, as: Float.self)
        #expect(value == SmallCache.element(position: 600, layer: 1, column: 5))
    }

    /// Rows that wait in 16-bit floats are exported as they are, and those before them as what is left of them.
    @Test func decodedRowsOfAResidualWindow() throws {
        let small = try SmallCache(scheme: "kivi-4")
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(300, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let path = small.folder + "/decoded.safetensors"
        try folder.open(identity: nil, layout: nil).export(.decoded, to: path)
        let file = try SafetensorsFile(path: path)
        for (kind, waiting) in [("keys", 256), ("values", 172)] {
            let rows = Array(file.bytes(of: try file.entry("layers.2.\(kind)")).bindMemory(to: Float.self))
            let errors = (0..<300).map { position in
                (0..<64).map { column in
                    abs(rows[(300 + position) * 64 + column] - SmallCache.element(position: position, layer: 2, column: column))
                }.max()!
            }
            #expect(errors[waiting...].allSatisfy { $0 == 0 } && errors[..<waiting].max()! > 0)
            // Half a step of at most 255 / 15.
            #expect(errors.max()! <= 9)
        }
    }

    @Test func promptCacheOfMLX() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(1000, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let path = small.folder + "/mlx.safetensors"
        try folder.open(identity: nil, layout: nil).export(.mlx, to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata["1.0"] == "QuantizedKVCache" && file.metadata["1.1"] == "RotatingKVCache")
        #expect(file.metadata["2.1.0"] == "0.2" && file.metadata["2.1.1"] == "scalar")
        #expect(try file.entry("0.0.0").shape == [1, 2, 1000, 8] && file.entry("0.1.2").dtype == .bf16)
        #expect(try file.entry("1.0").shape == [1, 2, 300, 64])
        #expect(file.bytes(of: try file.entry("1.2")).loadUnaligned(as: Int32.self) == 1000)
    }

    @Test func whatIsNoExport() throws {
        let small = try SmallCache()
        let folder = try CacheFolder(path: small.folder).agent("anna")
        let cache = small.cache()
        try small.append(300, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let stored = try folder.open(identity: nil, layout: nil)
        let path = small.folder + "/file.safetensors"
        try stored.export(.mlx, to: path)
        let error = #expect(throws: CachesError.self) { try CacheImport(path: path) }
        #expect(
            "\(error!)" == "\(path) is no exported cache: its format is 'not given'; "
                + "'cache export --form safetensors' writes 'kvlab-export'.")
        try stored.export(.safetensors, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var generator = SplitMix(seed: 2)
        for _ in 0..<40 {
            var bytes = whole
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(throws: (any Error).self) { try CacheImport(path: path) }
        }
    }
}
