import Models
import Testing

@Suite struct WorkCountTests {
    /// Two layers of hidden 64, FFN 64, 2 query heads and 1 KV head of 64, vocabulary 80, weights of 32 bits.
    @Test func llama() throws {
        let model = try #require(try FixtureRun(Fixture(name: "llama-whole-groups")).model as? Decoder)
        let store = 2 * 64 * 64
        let rest = 2 * 64 * 64 + 64 * 2 * 64 + 3 * 64 * 64
        let head = 80 * 64
        // One token after 9: everything once; it sees 10 positions in both layers.
        let step = model.work(tokens: 1, depth: 9)
        #expect(step.weightOperations == Double(2 * (2 * (store + rest) + head)))
        #expect(step.attentionOperations == Double(2 * 2 * 10 * 2 * (64 + 64)))
        #expect(step.weightBytes == Double(4 * (2 * (store + rest) + head)))
        // Four tokens of a prompt: in the last layer only the last goes past its keys and values.
        let prompt = model.work(tokens: 4, depth: 0)
        #expect(prompt.weightOperations == Double(2 * (4 * store + 4 * rest + 4 * store + rest + head)))
        #expect(prompt.attentionOperations == Double(2 * (1 + 2 + 3 + 4 + 4) * 2 * (64 + 64)))
    }

    /// A window bounds what a token sees; a token goes through some of the experts only.
    @Test func windowsAndExperts() throws {
        let gemma = try #require(try FixtureRun(Fixture(name: "gemma-pattern-2")).model as? Decoder)
        let near = gemma.work(tokens: 1, depth: 40), far = gemma.work(tokens: 1, depth: 400)
        #expect(far.attentionOperations < near.attentionOperations * 401 / 41)
        #expect(far.attentionOperations > near.attentionOperations)
        let deepSeek = try #require(try FixtureRun(Fixture(name: "deepseek-lite")).model as? Decoder)
        #expect(deepSeek.work(tokens: 1, depth: 0).weightBytes < Double(deepSeek.weightBytes))
    }
}
