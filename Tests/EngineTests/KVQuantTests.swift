import Caches
import Engine
import Foundation
import Models
import Schemes
import Testing

/// KVQuant from calibration to a cache that was saved and loaded.
@Suite struct KVQuantTests {
    private func calibrate(_ lab: TinyLab) throws {
        let source = CalibrationSource(path: lab.folder + "/kvquant.safetensors", model: "tiny", weights: lab.model.fingerprint)
        let texts = [lab.tokens(900, seed: 11), lab.tokens(900, seed: 12)]
        let found = try KVQuantCalibrator(engine: lab.engine).run(texts: texts, limit: 1500)
        #expect(found.tokens == 1500)
        try KVQuantCalibration.write(found.layers, for: source, metadata: [:])
        lab.model.calibration = source
    }

    /// More bits, and outliers kept, are nearer to an unquantized cache, and a loaded cache goes on bit by bit.
    @Test(arguments: TinyShape.allCases) func calibratedCaches(shape: TinyShape) throws {
        let lab = try TinyLab(scheme: "fp16", compute: .reference, shape: shape)
        let tokens = lab.tokens(400, seed: 3)
        func logits(_ cache: AgentCache) throws -> [Float] {
            let logits = try lab.model.forward([SequenceStep(cache: cache, tokens: tokens[300...], wanted: .all)])
            return (0..<logits.rows).flatMap { Array(logits.row($0)) }
        }
        let plain = lab.cache()
        try lab.engine.prefill(plain, Array(tokens[..<300]))
        let expected = try logits(plain)
        try calibrate(lab)
        var errors: [String: Float] = [:]
        for name in ["kvquant-nuq4", "kvquant-nuq2", "kvquant-nuq2-1%"] {
            let layout = try CacheLayout(spec: lab.model.cacheSpec, scheme: CacheScheme(expression: name))
            let cache = AgentCache(agent: "tester", layout: layout, pool: lab.pool)
            try lab.engine.prefill(cache, Array(tokens[..<300]))
            let folder = try CacheFolder(path: lab.folder + "/caches \(name)").agent("tester")
            let identity = CacheIdentity(model: lab.model)
            try folder.save(cache.snapshot(), identity: identity)
            let loaded = try folder.load(identity: identity, layout: layout, pool: lab.pool, workers: nil).cache
            let found = try logits(cache)
            #expect(try logits(loaded) == found)
            errors[name] = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        #expect(errors["kvquant-nuq4"]! > 0 && errors["kvquant-nuq4"]! < errors["kvquant-nuq2"]! / 2, "\(errors)")
        #expect(errors["kvquant-nuq2-1%"]! < errors["kvquant-nuq2"]!, "\(errors)")
    }

    @Test func withoutItsCalibrationNothingIsComputed() throws {
        let lab = try TinyLab(scheme: "kvquant-nuq4", compute: .reference)
        let cache = lab.cache()
        #expect(throws: SchemeError.uncalibrated(scheme: "kvquant-nuq4")) { try lab.engine.prefill(cache, lab.tokens(20)) }
        #expect(cache.count == 0)
        try calibrate(lab)
        let other = try TinyLab(scheme: "fp16", compute: .reference, shape: .gemma)
        other.model.calibration = CalibrationSource(
            path: lab.model.calibration!.path, model: "tiny", weights: other.model.fingerprint)
        #expect {
            _ = try CacheLayout(spec: other.model.cacheSpec, scheme: CacheScheme(expression: "kvquant-nuq4"))
        } throws: {
            "\($0)" == "The calibration '\(lab.folder)/kvquant.safetensors' cannot be used: it is of other weights of tiny."
        }
    }
}
