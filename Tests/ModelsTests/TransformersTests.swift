import CKernels
import Caches
import Models
import Tensors
import Testing

/// Logits against those of transformers in float32, at every position.
@Suite struct TransformersTests {
    private func width(_ fixture: Fixture) throws -> Int { try fixture.configuration().vocabularySize }

    @Test(arguments: Fixture.all)
    func logits(fixture: Fixture) throws {
        let expected = try fixture.expected()
        let logits = try FixtureRun(fixture).logits(expected.tokens)
        #expect(worstError(logits, expected.logits, width: try width(fixture)) <= 1e-5)
    }
}
