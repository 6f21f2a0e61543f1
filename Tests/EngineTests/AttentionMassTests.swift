import Caches
import Engine
import Models
import Testing

@Suite struct AttentionMassTests {
    /// Each row of each head and layer gives a weight of 1, a row sees nothing after itself, and looking changes no bit of the
    /// logits: for every class, several blocks, and quantized keys.
    @Test(arguments: TinyShape.allCases) func eachRowGivesOne(shape: TinyShape) throws {
        for form in shape == .deepseek ? [MLAForm.expanded, .latent] : [.expanded] {
            let lab = try TinyLab(scheme: "affine-q8-g64", compute: .reference, shape: shape, mlaForm: form)
            let (before, probe) = (lab.tokens(500), lab.tokens(20, seed: 5))
            func logits(_ mass: AttentionMass?) throws -> [Float] {
                let cache = lab.cache()
                try lab.engine.prefill(cache, before)
                let logits = try lab.model.forward([SequenceStep(cache: cache, tokens: probe[...], wanted: .all, mass: mass)])
                return (0..<logits.rows).flatMap { Array(logits.row($0)) }
            }
            let mass = AttentionMass()
            #expect(try logits(mass) == logits(nil))
            #expect(mass.tokens.count == 520 && mass.tokens.allSatisfy { $0 >= 0 })
            let total = mass.tokens.reduce(0, +)
            let rows = total / 20
            #expect(abs(rows - rows.rounded()) < 1e-4 && rows > 1, "\(rows) heads of all layers")
            // One row's weight of the last token is a part of its own; of all others the later rows have a part too.
            #expect(mass.tokens[519] < rows)
        }
    }
}
