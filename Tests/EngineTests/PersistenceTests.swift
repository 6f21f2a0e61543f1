import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// An agent's cache, saved, evicted, loaded and continued, gives the tokens of a run that never saved.
@Suite struct PersistenceTests {
    static let schemes = ["affine-q4-g64", "fp16", "fp32", "k=affine-q8-g32,v=affine-q2-g64"]

    @Test(arguments: schemes, [Compute.reference, .fast])
    func restoredContinuesLikeNeverSaved(scheme: String, compute: Compute) throws {
        let lab = try TinyLab(scheme: scheme, compute: compute)
        let prompt = lab.tokens(300)
        let next = lab.tokens(17, seed: 9)

        let whole = AgentSession(engine: lab.engine, cache: lab.cache())
        let first = try whole.respond(to: prompt, maximumTokens: 20)
        let path = lab.folder + "/agent.safetensors"
        try CacheFile.save(whole.cache, model: lab.model.fingerprint, to: path)
        let saved = try Data(contentsOf: URL(fileURLWithPath: path))
        let second = try whole.respond(to: prompt + first.tokens + next, maximumTokens: 200)

        let (cache, _) = try CacheFile.load(
            path, agent: "tester", model: lab.model.fingerprint, layout: lab.layout, pool: lab.pool,
            workers: lab.execution.workers)
        let again = lab.folder + "/again.safetensors"
        try CacheFile.save(cache, model: lab.model.fingerprint, to: again)
        #expect(try Data(contentsOf: URL(fileURLWithPath: again)) == saved)

        let restored = AgentSession(engine: lab.engine, cache: cache)
        let continued = try restored.respond(to: prompt + first.tokens + next, maximumTokens: 200)
        #expect(continued.hitTokens == prompt.count + first.tokens.count - 1)
        #expect(continued.hitTokens == second.hitTokens)
        #expect(continued.tokens == second.tokens)
        #expect(continued.tokens.count == 200)
    }

    @Test func refusesWhatDoesNotMatch() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let cache = lab.cache()
        try lab.engine.prefill(cache, lab.tokens(300))
        let path = lab.folder + "/agent.safetensors"
        try CacheFile.save(cache, model: lab.model.fingerprint, to: path)

        func load(agent: String = "tester", model: String? = nil, layout: CacheLayout? = nil) throws {
            _ = try CacheFile.load(
                path, agent: agent, model: model ?? lab.model.fingerprint, layout: layout ?? lab.layout,
                pool: lab.pool, workers: lab.execution.workers)
        }
        try load()
        #expect(throws: CachesError.mismatch(file: path, what: "agent", expected: "other", found: "tester")) {
            try load(agent: "other")
        }
        #expect(
            throws: CachesError.mismatch(
                file: path, what: "model", expected: "another", found: lab.model.fingerprint)
        ) { try load(model: "another") }
        let layout = try CacheLayout(spec: lab.model.cacheSpec, scheme: CacheScheme(expression: "affine-q8-g64"))
        #expect(
            throws: CachesError.mismatch(
                file: path, what: "scheme", expected: "affine-q8-g64", found: "affine-q4-g64")
        ) { try load(layout: layout) }
    }

    /// Any damaged byte of the file is noticed: blocks, tokens, checksums and header.
    @Test func refusesDamage() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let cache = lab.cache()
        try lab.engine.prefill(cache, lab.tokens(300))
        let path = lab.folder + "/agent.safetensors"
        try CacheFile.save(cache, model: lab.model.fingerprint, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var generator = SystemRandomNumberGenerator()
        for trial in 0..<200 {
            var bytes = whole
            if trial % 4 == 0 {
                bytes = bytes.prefix(Int.random(in: 0..<whole.count, using: &generator))
            } else {
                bytes[Int.random(in: 0..<whole.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            try bytes.write(to: URL(fileURLWithPath: path))
            let loaded = try? CacheFile.load(
                path, agent: "tester", model: lab.model.fingerprint, layout: lab.layout, pool: lab.pool,
                workers: lab.execution.workers)
            // A flipped bit may hit nothing that matters (a padding blank); then the contents must be right.
            if let loaded = loaded?.cache { #expect(loaded.tokens == cache.tokens) }
        }
        #expect(lab.pool.usedBytes == cache.storedBytes)
    }
}
