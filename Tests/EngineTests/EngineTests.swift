import CKernels
import Caches
import Engine
import Models
import Testing

@Suite struct EngineTests {
    private func lastLogits(_ lab: TinyLab, _ tokens: [Int32], chunk: Int) throws -> [Float] {
        let cache = lab.cache()
        return Array(try lab.engine.prefill(cache, tokens, chunk: chunk).row(0))
    }

    private func relativeError(_ a: [Float], _ b: [Float]) -> Float {
        let difference = zip(a, b).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (difference / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    /// Chunked prefill, prefill at once and token by token agree.
    @Test(arguments: ["fp32", "affine-q8-g64"])
    func chunksDoNotMatter(scheme: String) throws {
        let lab = try TinyLab(scheme: scheme, compute: .reference)
        let tokens = lab.tokens(290)
        let atOnce = try lastLogits(lab, tokens, chunk: 512)
        for chunk in [1, 7, 100, 256] {
            #expect(relativeError(try lastLogits(lab, tokens, chunk: chunk), atOnce) < (scheme == "fp32" ? 1e-5 : 2e-3))
        }
    }

    /// A warm-up leaves nothing behind that answers could depend on.
    @Test func warmUpChangesNoAnswer() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let tokens = lab.tokens(100)
        let cold = try lastLogits(lab, tokens, chunk: 512)
        try lab.engine.warmUp(lab.layout)
        #expect(try lastLogits(lab, tokens, chunk: 512) == cold)
    }

    /// The fast path stays near the reference on the same weights: 8-bit activations cost about half a percent per product,
    /// and random weights damp none of it.
    @Test func fastIsNearReference() throws {
        let reference = try TinyLab(scheme: "fp16", compute: .reference)
        let fast = try TinyLab(scheme: "fp16", compute: .fast)
        let tokens = reference.tokens(200)
        let error = relativeError(try lastLogits(fast, tokens, chunk: 512), try lastLogits(reference, tokens, chunk: 512))
        #expect(error < 4e-2)
    }

    /// The same bytes with one thread and with two.
    @Test(arguments: [Compute.reference, .fast])
    func threadsDoNotMatter(compute: Compute) throws {
        let one = try TinyLab(scheme: "affine-q4-g64", compute: compute, threads: 1)
        let two = try TinyLab(scheme: "affine-q4-g64", compute: compute, threads: 2)
        let tokens = one.tokens(600)
        let cacheOne = one.cache()
        let cacheTwo = two.cache()
        #expect(Array(try one.engine.prefill(cacheOne, tokens).row(0)) == Array(try two.engine.prefill(cacheTwo, tokens).row(0)))
        var token: Int32 = 5
        for _ in 0..<20 {
            let next = try one.engine.decode(cacheOne, token)
            #expect(next == (try two.engine.decode(cacheTwo, token)))
            token = next
        }
    }

    /// Decoding several sequences in one step gives what each gives alone.
    @Test func batchedDecodeEqualsAlone() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference)
        let lengths = [5, 260, 40]
        let alone = try lengths.map { length in
            let cache = lab.cache()
            try lab.engine.prefill(cache, lab.tokens(length))
            return Array(try lab.model.forward([SequenceStep(cache: cache, tokens: [11], wanted: .last)]).row(0))
        }
        let caches = try lengths.map { length in
            let cache = lab.cache()
            try lab.engine.prefill(cache, lab.tokens(length))
            return cache
        }
        let logits = try lab.model.forward(caches.map { SequenceStep(cache: $0, tokens: [11], wanted: .last) })
        for index in lengths.indices {
            #expect(relativeError(Array(logits.row(index)), alone[index]) < 1e-5)
        }
    }

    /// Logits of all rows hold those of the last one.
    @Test func allLogitsEndInTheLast() throws {
        let lab = try TinyLab(scheme: "fp32", compute: .reference)
        let tokens = lab.tokens(50)
        let all = try lab.model.forward([SequenceStep(cache: lab.cache(), tokens: tokens[...], wanted: .all)])
        #expect(all.rows == 50)
        let last = Array(all.row(49))
        #expect(relativeError(try lastLogits(lab, tokens, chunk: 512), last) < 1e-5)
    }

    @Test func badInputChangesNothing() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let cache = lab.cache()
        try lab.engine.prefill(cache, lab.tokens(10))
        #expect(throws: ModelsError.tokenOutOfRange(token: 1000, position: 11, vocabulary: 1000)) {
            try lab.engine.prefill(cache, [1, 1000])
        }
        #expect(throws: ModelsError.emptyPrompt) { try lab.engine.prefill(cache, []) }
        #expect(throws: ModelsError.contextTooLong(tokens: 8200, limit: 8192, model: "tiny")) {
            try lab.engine.prefill(cache, lab.tokens(8190))
        }
        #expect(cache.count == 10)
    }
}
