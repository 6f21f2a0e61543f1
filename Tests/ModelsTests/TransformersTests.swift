import CKernels
import Models
import Tensors
import Testing

/// Logits against those of transformers in float32, at every position.
@Suite struct TransformersTests {
    static let isas = [KL_SCALAR, KL_AVX2, KL_AVX512, KL_AMX, KL_NEON].filter { kl_isa_supported($0) }

    /// The worst position's error; infinity if any position's choice is another.
    private func error(_ logits: [Float], _ expected: [Float], of fixture: Fixture) throws -> Double {
        let width = try fixture.configuration().vocabularySize
        guard logits.count == expected.count, choices(logits, width: width) == choices(expected, width: width) else {
            return .infinity
        }
        return relativeErrors(logits, expected, width: width).max()!
    }

    @Test(arguments: Fixture.all, isas)
    func logits(fixture: Fixture, isa: kl_isa) throws {
        let expected = try fixture.expected()
        let logits = try FixtureRun(fixture, isa: isa).logits(expected.tokens)
        #expect(try error(logits, expected.logits, of: fixture) <= 1e-5)
    }

    /// The cache of compressed rows gives what the expanded one gives.
    @Test(arguments: Fixture.all("deepseek"), isas)
    func latentForm(fixture: Fixture, isa: kl_isa) throws {
        let expected = try fixture.expected()
        for steps in [[512], [1]] {
            let logits = try FixtureRun(fixture, form: .latent, isa: isa).logits(expected.tokens, steps: steps)
            #expect(try error(logits, expected.logits, of: fixture) <= 1e-5)
        }
    }

    /// 16-bit caches and weights cost what their rounding costs.
    @Test(arguments: Fixture.all)
    func sixteenBits(fixture: Fixture) throws {
        let expected = try fixture.expected()
        let width = try fixture.configuration().vocabularySize
        for form in fixture.forms {
            let cached = relativeErrors(
                try FixtureRun(fixture, scheme: "fp16", form: form).logits(expected.tokens), expected.logits, width: width)
            #expect(median(cached) <= 1e-3 && cached.max()! <= 5e-3)
            let kept = relativeErrors(
                try FixtureRun(fixture, storage: .dense(KL_DENSE_F16), form: form).logits(expected.tokens),
                expected.logits, width: width)
            #expect(median(kept) <= 2e-3 && kept.max()! <= 1e-2)
        }
    }
}
