import Caches
import Engine
import Models
import Schemes

/// Decodes the same tokens over an unquantized cache and over caches of other schemes, all in one step, and compares each
/// prediction as it comes.
struct DecodePass {
    private let engine: Engine
    private let layouts: [CacheLayout]
    private let schemes: [CacheScheme]

    /// - Throws: ``SchemeError`` when a scheme does not suit the model's row widths.
    init(engine: Engine, base: CacheScheme, schemes: [CacheScheme]) throws {
        self.engine = engine
        self.schemes = [base] + schemes
        layouts = try self.schemes.map { try CacheLayout(spec: engine.model.cacheSpec, scheme: $0) }
    }

    /// Reads `prompt`, then decodes `count` tokens: those of `text`, or the base's most likely ones.
    /// - Returns: for each scheme but the base the divergences of the predictions of those tokens.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws, or ``ExperimentsError/notFinite(scheme:position:)``.
    func run(_ prompt: [Int32], following text: ArraySlice<Int32>?, count: Int) throws -> [[TokenDivergence]] {
        let pool = BlockPool(budgetBytes: .max)
        let caches = layouts.map { AgentCache(agent: "the \($0.scheme) cache", layout: $0, pool: pool) }
        // The last token of the prompt is decoded: from there on every cache goes token by token.
        for cache in caches where prompt.count > 1 { try engine.prefill(cache, Array(prompt.dropLast())) }
        var token = prompt[prompt.count - 1]
        var series: [[TokenDivergence]] = schemes.dropFirst().map { _ in [] }
        for step in 0..<count {
            var rows: [[Float]] = []
            let last = token
            for group in stride(from: 0, to: caches.count, by: engine.model.maximumStepSequences) {
                let part = caches[group..<min(group + engine.model.maximumStepSequences, caches.count)]
                let logits = try engine.model.forward(
                    part.map { SequenceStep(cache: $0, tokens: [last], wanted: .last) })
                rows += (0..<logits.rows).map { Array(logits.row($0)) }
                if group == 0 { token = text.map { $0[$0.startIndex + step] } ?? engine.greedy(logits, row: 0) }
            }
            for index in series.indices {
                let divergence = rows[0].withUnsafeBufferPointer { base in
                    rows[index + 1].withUnsafeBufferPointer { TokenDivergence(base: base, other: $0, next: token) }
                }
                guard let divergence else {
                    throw ExperimentsError.notFinite(
                        scheme: schemes[index + 1].description, position: prompt.count - 1 + step)
                }
                series[index].append(divergence)
            }
        }
        return series
    }
}
