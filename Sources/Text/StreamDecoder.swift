/// Turns token ids into text as they come, never giving out half a character.
///
/// What it gives out for all ids together, ``finish()`` included, is what ``Tokenizer/decode(_:skipSpecialTokens:)``
/// gives for them at once.
public struct StreamDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    private var stages: [any DecoderStage]

    init(_ tokenizer: Tokenizer, skipsSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecialTokens = skipsSpecialTokens
        stages = tokenizer.decoderStages
    }

    /// The text that is certain after this token; often empty while a character is incomplete. An id that is no token
    /// (models often have more rows than tokens) adds nothing.
    public mutating func push(_ id: Int32) -> String {
        guard let token = tokenizer.decodedText(of: id, skipsSpecialTokens: skipsSpecialTokens) else { return "" }
        var out: [UInt8] = []
        feed(token, from: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The rest of the text. What follows begins a new one.
    public mutating func finish() -> String {
        var out: [UInt8] = []
        for k in stages.indices {
            var rest: [[UInt8]] = []
            stages[k].finish { rest.append($0) }
            for text in rest { feed(text, from: k + 1, into: &out) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private mutating func feed(_ text: [UInt8], from stage: Int, into out: inout [UInt8]) {
        guard stage < stages.count else {
            out.append(contentsOf: text)
            return
        }
        var results: [[UInt8]] = []
        stages[stage].feed(text) { results.append($0) }
        for result in results { feed(result, from: stage + 1, into: &out) }
    }
}
