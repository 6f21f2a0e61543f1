import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// Attention over caches whose newest rows wait in 16-bit floats.
@Suite struct ResidualWindowTests {
    /// 16-bit floats in tiles: [tile][element][token]. Whether a row waits or is encoded, it is the same.
    private struct Tiles: KVScheme {
        let tileTokens: Int
        let residual: ResidualWindow
        let name = "tiles"
        let summary = "16-bit floats"

        func planes(width: Int) -> [Plane] { [Plane("values", bytesPerTile: width * 2 * tileTokens, tileTokens: tileTokens)] }

        func encode(
            _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
        ) {
            precondition(token % tileTokens == 0 && count % tileTokens == 0)
            for row in 0..<count {
                let tile = segment.plane(0, token: token + row, as: UInt16.self)
                for column in 0..<segment.width {
                    kl_f32_to_half(
                        isa, KL_F16, rows + row * stride + column, 1, tile + column * tileTokens + (token + row) % tileTokens)
                }
            }
        }

        func decode(
            _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
        ) {
            for row in 0..<count {
                let tile = segment.plane(0, token: token + row, as: UInt16.self)
                for column in 0..<segment.width {
                    kl_half_to_f32(
                        isa, KL_F16, tile + column * tileTokens + (token + row) % tileTokens, 1,
                        out + row * segment.width + column)
                }
            }
        }
    }

    private static let tiles = [
        Tiles(tileTokens: 32, residual: .whole(tokens: 128)), Tiles(tileTokens: 1, residual: .rolling(tokens: 128)),
        Tiles(tileTokens: 16, residual: .whole(tokens: 48)), Tiles(tileTokens: 4, residual: .rolling(tokens: 20)),
        Tiles(tileTokens: 256, residual: .rolling(tokens: 256)), Tiles(tileTokens: 1, residual: .whole(tokens: 1)),
    ]

    private func bits(_ logits: Logits, _ row: Int) -> [UInt32] { logits.row(row).map(\.bitPattern) }

    /// Every position is read from where it is: a scheme without loss gives what 16-bit floats give, but for sums that run
    /// in other parts, and for the roundings to 16 bits that these tip over.
    @Test(arguments: TinyShape.allCases, [Compute.reference, .fast])
    func noRowIsMisread(shape: TinyShape, compute: Compute) throws {
        for form in [MLAForm.expanded, .latent] where shape == .deepseek || form == .expanded {
            let lab = try TinyLab(scheme: "fp16", compute: compute, threads: 2, shape: shape, mlaForm: form)
            func run(_ scheme: CacheScheme) throws -> [Float] {
                let layout = try CacheLayout(spec: lab.model.cacheSpec, scheme: scheme)
                let cache = AgentCache(agent: "tester", layout: layout, pool: lab.pool)
                var out: [Float] = []
                for step in [300, 1, 1, 90, 1, 512, 1, 1, 1] {
                    let tokens = lab.tokens(step, seed: UInt64(cache.count))
                    let logits = try lab.model.forward([SequenceStep(cache: cache, tokens: tokens[...], wanted: .all)])
                    for row in 0..<logits.rows { out += logits.row(row) }
                    try cache.truncate(to: cache.count - 1)
                    _ = try lab.model.forward([SequenceStep(cache: cache, tokens: tokens.suffix(1), wanted: .none)])
                }
                return out
            }
            let expected = try run(CacheScheme(HalfScheme.fp16))
            let size = expected.map(abs).max()!
            for (index, keys) in Self.tiles.enumerated() {
                let values = Self.tiles[(index + 1) % Self.tiles.count]
                let found = try run(CacheScheme(key: keys, value: values))
                let worst = zip(found, expected).map { abs($0 - $1) }.max()!
                #expect(worst <= (compute == .reference ? 1e-3 : 2e-2) * size, "\(keys), \(values): \(worst) of \(size)")
            }
        }
    }

    /// Cuts of a prompt change nothing: a query reads in 16-bit floats what waited when its 128 positions began.
    @Test(arguments: TinyShape.allCases, ["kivi-2 reference", "kivi-2 fast", "zipcache fast"])
    func cutsDoNotMatter(shape: TinyShape, of what: String) throws {
        let (scheme, compute) = (what.split(separator: " ")[0], Compute(rawValue: String(what.split(separator: " ")[1]))!)
        for form in [MLAForm.expanded, .latent] where shape == .deepseek || form == .expanded {
            let lab = try TinyLab(scheme: String(scheme), compute: compute, threads: 1, shape: shape, mlaForm: form)
            for (first, length) in [(0, 509), (127, 385), (255, 514), (3, 390)] {
                func run(limit: Int) throws -> [[UInt32]] {
                    let cache = lab.cache()
                    if first > 0 { try lab.engine.prefill(cache, lab.tokens(first, seed: 5)) }
                    let logits = bits(try lab.engine.prefill(cache, lab.tokens(length), chunk: limit), 0)
                    let next = try lab.model.forward([SequenceStep(cache: cache, tokens: [9], wanted: .last)])
                    return [logits, bits(next, 0)]
                }
                let whole = try run(limit: 512)
                for limit in [1, 200, 384] {
                    #expect(try run(limit: limit) == whole, "\(form), \(length) tokens after \(first), \(limit)")
                }
            }
        }
    }

    /// A cache that was saved and loaded goes on bit by bit as the one that stayed in memory, and an agent's step is the same
    /// alone and in company.
    @Test(arguments: TinyShape.allCases, [
        "kivi-2", "layers 0: kivi-4; rest: k=q8_0,v=kivi-2", "layers 0: zipcache; rest: k=kivi-4,v=mixed(saliency,40,q8_0,q4_0)",
    ])
    func restored(shape: TinyShape, scheme: String) throws {
        for form in [MLAForm.expanded, .latent] where shape == .deepseek || form == .expanded {
            let lab = try TinyLab(scheme: scheme, compute: .fast, threads: 2, shape: shape, mlaForm: form)
            let identity = CacheIdentity(model: lab.model)
            let folder = try CacheFolder(path: lab.folder + "/caches").agent("tester")
            let cache = lab.cache()
            for step in [100, 28, 1, 171, 213] {
                try lab.engine.prefill(cache, lab.tokens(step, seed: UInt64(step)))
                _ = try lab.model.forward([SequenceStep(cache: cache, tokens: [7], wanted: .none)])
                try folder.save(cache.snapshot(), identity: identity)
                let alone = try folder.load(identity: identity, layout: lab.layout, pool: lab.pool, workers: nil).cache
                let other = try folder.load(identity: identity, layout: lab.layout, pool: lab.pool, workers: nil).cache
                // One token back, then steps of all kinds: in company of another agent, and alone.
                for cache in [cache, alone, other] { try cache.truncate(to: cache.count - 1) }
                for count in [1, 40, 1] {
                    let tokens = lab.tokens(count, seed: 8)
                    let together = try lab.model.forward(
                        [cache, other].map { SequenceStep(cache: $0, tokens: tokens[...], wanted: .last) })
                    let rows = [bits(together, 0), bits(together, 1)]
                    let logits = try lab.model.forward([SequenceStep(cache: alone, tokens: tokens[...], wanted: .last)])
                    #expect(rows == [bits(logits, 0), bits(logits, 0)], "\(form), \(cache.count) tokens")
                }
            }
        }
    }
}
