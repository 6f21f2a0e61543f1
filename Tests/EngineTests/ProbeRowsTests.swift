import CKernels
import Caches
import Engine
import Models
import Schemes
import Testing

/// What schemes are told of the attention that probe rows give.
@Suite struct ProbeRowsTests {
    /// 16-bit floats, and what encoding was told of each token.
    private struct Recorder: KVScheme {
        let name = "recorder"
        let summary = "16-bit floats and attention"
        var tileTokens: Int { ProbeRows.tile }
        var residual: ResidualWindow { .whole(tokens: ProbeRows.tile) }
        var readsAttention: Bool { true }

        func planes(width: Int) -> [Plane] { [Plane("values", bytesPerToken: 2 * width), Plane("saliency", bytesPerToken: 4)] }

        func encode(
            _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
        ) {
            for row in 0..<count {
                kl_f32_to_half(isa, KL_F16, rows + row * stride, segment.width, segment.plane(0, token: token + row))
                segment.plane(1, token: token + row, as: Float.self).pointee = segment.saliency?[row] ?? -1
            }
        }

        func decode(_ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa) {
            kl_half_to_f32(isa, KL_F16, segment.plane(0, token: token), count * segment.width, out)
        }
    }

    /// The newest 6 rows of a tile and one of each sixth of the others, other ones in other tiles.
    @Test func places() {
        for tile in [0, 128, 12_800] {
            let places = ProbeRows.places(tile: tile)
            #expect(places.count == 12 && places.suffix(6) == [122, 123, 124, 125, 126, 127] && places == ProbeRows.places(tile: tile))
            for part in 0..<6 { #expect((part * 122 / 6..<(part + 1) * 122 / 6).contains(places[part])) }
        }
        #expect(ProbeRows.places(tile: 0) != ProbeRows.places(tile: 128))
    }

    /// Summed over heads and layers, the saliency of a token times the rows that see it is the attention that the probe rows of
    /// its tile give it when they are decoded alone; whatever steps the rows came in.
    @Test(arguments: TinyShape.allCases) func saliencyIsWhatProbesGive(shape: TinyShape) throws {
        for form in shape == .deepseek ? [MLAForm.expanded, .latent] : [.expanded] {
            let lab = try TinyLab(scheme: "fp16", compute: .reference, shape: shape, mlaForm: form)
            let tokens = lab.tokens(256)
            let cache = lab.cache()
            var expected: [[Double]] = []
            for tile in [0, 128] {
                let mass = AttentionMass()
                for place in 0..<128 {
                    let isProbe = ProbeRows.places(tile: tile).contains(place)
                    _ = try lab.model.forward([
                        SequenceStep(
                            cache: cache, tokens: tokens[(tile + place)...(tile + place)], wanted: .all, mass: isProbe ? mass : nil)
                    ])
                }
                expected.append(Array(mass.tokens[tile...]))
            }
            let layout = try CacheLayout(spec: lab.model.cacheSpec, scheme: CacheScheme(key: Recorder(), value: HalfScheme.fp16))
            for steps in [[256], [100, 156], [128, 1, 127], [200] + Array(repeating: 1, count: 56)] {
                let cache = AgentCache(agent: "tester", layout: layout, pool: lab.pool)
                for step in steps {
                    let part = tokens[cache.count..<(cache.count + step)]
                    // The last layer's probe rows are computed though nobody wants their logits.
                    _ = try lab.model.forward([SequenceStep(cache: cache, tokens: part, wanted: .none)])
                }
                for (index, tile) in [0, 128].enumerated() {
                    let places = ProbeRows.places(tile: tile)
                    for token in 0..<128 {
                        var found = 0.0
                        for (number, layer) in layout.layers.enumerated() {
                            let rows = places.count { $0 >= token && $0 - token < layer.spec.window ?? .max }
                            for head in 0..<layer.spec.kvHeads {
                                let segment = layer.keySegment(head: head, in: cache.block(layer: number, holding: tile))
                                let saliency = segment.plane(1, token: tile + token, as: Float.self).pointee
                                #expect(saliency >= 0)
                                found += Double(saliency) * Double(rows)
                            }
                        }
                        let wanted = expected[index][token]
                        #expect(abs(found - wanted) <= 0.01 * wanted + 1e-4, "\(form) \(steps.count) steps, \(tile) + \(token)")
                    }
                }
            }
        }
    }

    /// A token that is taken back and computed again is counted once.
    @Test func goingBack() throws {
        let lab = try TinyLab(scheme: "zipcache", compute: .fast)
        let (cache, twin) = (lab.cache(), lab.cache())
        let tokens = lab.tokens(300)
        for (index, token) in tokens.enumerated() {
            let step = { (cache: AgentCache) in
                let logits = try lab.model.forward([SequenceStep(cache: cache, tokens: [token], wanted: .last)])
                return logits.row(0).map(\.bitPattern)
            }
            let first = try step(cache)
            try cache.truncate(to: index)
            #expect(try step(cache) == first)
            #expect(try step(twin) == first)
        }
    }
}
