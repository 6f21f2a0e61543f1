import Caches
import Engine
import Models
import Testing

/// What an agent gets does not depend, to the bit, on who else is in the step or on where its prompt is cut: in both
/// ways of computing, in every class of model. What batching and scheduling rest on.
@Suite struct BatchInvarianceTests {
    private static let forms: [MLAForm] = [.expanded, .latent]

    private func bits(_ logits: Logits, _ row: Int) -> [UInt32] { logits.row(row).map(\.bitPattern) }

    /// A prompt in one chunk and in many, each at allowed cuts, gives the same logits and the same caches.
    @Test(arguments: TinyShape.allCases, [Compute.reference, .fast])
    func cutsDoNotMatter(shape: TinyShape, compute: Compute) throws {
        for form in Self.forms where shape == .deepseek || form == .expanded {
            let lab = try TinyLab(scheme: "affine-q4-g64", compute: compute, threads: 1, shape: shape, mlaForm: form)
            for (first, length) in [(0, 509), (127, 385), (126, 259), (255, 514), (3, 390)] {
                func run(limit: Int) throws -> [[UInt32]] {
                    let cache = lab.cache()
                    if first > 0 { try lab.engine.prefill(cache, lab.tokens(first, seed: 5)) }
                    let logits = bits(try lab.engine.prefill(cache, lab.tokens(length), chunk: limit), 0)
                    let next = try lab.model.forward([SequenceStep(cache: cache, tokens: [9], wanted: .last)])
                    return [logits, bits(next, 0)]
                }
                let whole = try run(limit: 512)
                for limit in [1, 128, 200, 384] {
                    #expect(try run(limit: limit) == whole, "\(form), \(length) tokens after \(first), \(limit)")
                }
            }
        }
    }

    /// One decode row alone, among 1 to 7 other decode rows, and beside a prefill chunk of any size: the same bits.
    @Test(arguments: TinyShape.allCases, [Compute.reference, .fast])
    func companyDoesNotMatter(shape: TinyShape, compute: Compute) throws {
        for form in Self.forms where shape == .deepseek || form == .expanded {
            let lab = try TinyLab(scheme: "affine-q4-g64", compute: compute, threads: 1, shape: shape, mlaForm: form)
            let lengths = [300, 5, 260, 40, 129, 17, 256, 80]
            func caches(_ count: Int) throws -> [AgentCache] {
                try lengths.prefix(count).enumerated().map { index, length in
                    let cache = lab.cache("agent \(index)")
                    try lab.engine.prefill(cache, lab.tokens(length, seed: UInt64(index)))
                    return cache
                }
            }
            let alone = try caches(8).map { cache in
                bits(try lab.model.forward([SequenceStep(cache: cache, tokens: [11], wanted: .last)]), 0)
            }
            for count in 2...8 {
                let logits = try lab.model.forward(
                    try caches(count).map { SequenceStep(cache: $0, tokens: [11], wanted: .last) })
                for row in 0..<count { #expect(bits(logits, row) == alone[row], "\(form), \(count) rows") }
            }
            for chunk in [2, 9, 16, 17, 23, 24, 25, 128, 300, 505] {
                let prompt = lab.tokens(chunk, seed: 77)
                let own = lab.cache("alone")
                let expected = bits(try lab.engine.prefill(own, prompt), 0)
                let together = try caches(7)
                let logits = try lab.model.forward(
                    together.map { SequenceStep(cache: $0, tokens: [11], wanted: .last) }
                        + [SequenceStep(cache: lab.cache("new"), tokens: prompt[...], wanted: .last)])
                for row in 0..<7 { #expect(bits(logits, row) == alone[row], "\(form), chunk of \(chunk)") }
                #expect(bits(logits, 7) == expected, "\(form), chunk of \(chunk)")
            }
        }
    }

    /// Cuts are multiples of 128, chunks have at least two tokens, and small limits are passed by the first cut.
    @Test func cuts() {
        #expect(PromptCuts.end(from: 0, to: 1000, limit: 300) == 256)
        #expect(PromptCuts.end(from: 0, to: 1000, limit: 50) == 128)
        #expect(PromptCuts.end(from: 0, to: 129, limit: 50) == 129)
        #expect(PromptCuts.end(from: 127, to: 1000, limit: 1) == 256)
        for end in 1...400 {
            for limit in [1, 100, 128, 300] {
                var start = 0
                while start < end {
                    let next = PromptCuts.end(from: start, to: end, limit: limit)
                    #expect(next > start && next <= end && next - start <= PromptCuts.longestChunk(limit: limit))
                    #expect(next == end || (next % 128 == 0 && next - start > 1 && end - next > 1))
                    start = next
                }
            }
        }
    }
}
