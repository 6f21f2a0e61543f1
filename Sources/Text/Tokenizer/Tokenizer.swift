/// Text to token ids and back, equal to the last id to what Hugging Face tokenizers make of the same
/// `tokenizer.json`, or to what llama.cpp and SentencePiece make of the metadata of a GGUF file.
///
/// Supported are byte-pair models with the pre-tokenizers of GPT-2, Llama 3, Qwen 2 and DeepSeek, and with
/// SentencePiece conventions (Llama 2, Gemma). Whatever a file asks for beyond that is refused by name when it is
/// read, never ignored.
///
/// Checked by `GoldenTests` against tokenizers 0.23.3 and, over many more texts, by
/// `Tests/Fixtures/fuzz_tokenizers.py`.
public struct Tokenizer: Sendable {
    /// What errors call this tokenizer: its file.
    public let name: String
    public internal(set) var specialTokens: SpecialTokens

    let normalizer: (any Normalizer)?
    let preTokenizers: [any PreTokenizer]
    let model: BytePairModel
    let addedTokens: AddedTokens
    let decoderStages: [any DecoderStage]
    /// What `addSpecialTokens` puts before and after the ids of a text.
    var template: SequenceTemplate

    /// One more than the highest id. The embedding of a model may have more rows.
    public var vocabularySize: Int { max(model.vocabulary.idEnd, addedTokens.idEnd) }

    /// The id of a token given by its text as the vocabulary writes it ("Ġthe", "▁the", "<|eot_id|>"), or nil.
    public func id(of token: String) -> Int32? {
        let text = Array(token.utf8)
        if let added = addedTokens.tokens.first(where: { $0.content == text }) { return added.id }
        let id = model.vocabulary.id(of: text)
        return id >= 0 ? id : nil
    }

    /// The text of a token as the vocabulary writes it, or nil where no token has the id.
    public func token(_ id: Int32) -> String? {
        if let added = addedTokens.token(id) { return String(decoding: added.content, as: UTF8.self) }
        return model.vocabulary.text(of: Int(id)).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Ids that stand around the ids of a text.
struct SequenceTemplate: Sendable, Equatable {
    var prefix: [Int32] = []
    var suffix: [Int32] = []
}
