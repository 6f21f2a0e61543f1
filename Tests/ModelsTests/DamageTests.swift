import Caches
import CKernels
import Models
import Testing

/// Numbers that are not finite are found where they arise, and no cache takes in what came after.
@Suite struct DamageTests {
    private func message(
        _ fixture: Fixture, _ damage: (String, Int, Float), compute: Compute, form: MLAForm = .expanded
    ) throws -> (String, Int) {
        let run = try FixtureRun(
            fixture, compute: compute, form: form, damage: (tensor: damage.0, element: damage.1, value: damage.2))
        let cache = run.cache()
        let tokens = try fixture.expected().tokens
        do {
            _ = try run.model.forward([SequenceStep(cache: cache, tokens: tokens[...], wanted: .last)])
            return ("no error", cache.count)
        } catch let error as ModelsError {
            return (error.description, cache.count)
        }
    }

    @Test(arguments: Fixture.all, [Compute.reference, .fast])
    func weights(fixture: Fixture, compute: Compute) throws {
        let isDeepSeek = fixture.name.hasPrefix("deepseek")
        let norm = "model.layers.1.input_layernorm.weight"
        let projection = "model.layers.1.self_attn.\(isDeepSeek ? "kv_a_proj_with_mqa" : "k_proj").weight"
        for (tensor, value) in [(norm, Float.nan), (norm, .infinity), (projection, .nan), (projection, .infinity)] {
            for form in isDeepSeek ? [MLAForm.expanded, .latent] : [.none] {
                let (text, count) = try message(fixture, (tensor, 3, value), compute: compute, form: form)
                let place = "gives NaN or infinity at position 0 of tester; its weights or this cache are damaged."
                #expect(text == "Layer 1 of \(fixture.name) \(place)", "\(tensor) \(value)")
                #expect(count == 0)
            }
        }
    }

    @Test func sentences() throws {
        let fixture = Fixture(name: "llama-plain")
        let embedding = try fixture.expected().tokens[0]
        // The prompt's first token is at row `embedding` of the table, 48 wide; its position sees nothing else.
        let (text, _) = try message(
            fixture, ("model.embed_tokens.weight", Int(embedding) * 48 + 5, .nan), compute: .reference)
        #expect(text == "The embedding of llama-plain gives NaN or infinity at position 0 of tester; its weights or this cache are damaged.")
        let (head, _) = try message(fixture, ("lm_head.weight", 7, .infinity), compute: .reference)
        #expect(head == "The head of llama-plain gives NaN or infinity at position 43 of tester; its weights or this cache are damaged.")
    }

    /// The sequence and the position are those of the row that is wrong.
    @Test func positions() throws {
        let fixture = Fixture(name: "llama-plain")
        let run = try FixtureRun(fixture, damage: (tensor: "model.embed_tokens.weight", element: 11 * 48, value: .nan))
        let caches = ["first", "second"].map { AgentCache(agent: $0, layout: run.layout, pool: run.pool) }
        let sound: [Int32] = [1, 2, 3, 4]
        _ = try run.model.forward(caches.map { SequenceStep(cache: $0, tokens: sound[...], wanted: .none) })
        let damaged: [Int32] = [5, 6, 11]
        let error = #expect(throws: ModelsError.self) {
            try run.model.forward([
                SequenceStep(cache: caches[0], tokens: sound[...], wanted: .last),
                SequenceStep(cache: caches[1], tokens: damaged[...], wanted: .last),
            ])
        }
        #expect(error == .notFinite(part: .embedding, position: 6, agent: "second", model: "llama-plain"))
        #expect(caches.map(\.count) == [4, 4])
    }
}
