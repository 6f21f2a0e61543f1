extension Tokenizer {
    /// The ids of a conversation in the form of a model family, as transformers' `apply_chat_template` gives them with
    /// `tokenize=True`.
    ///
    /// - Throws: ``TextError`` where the template refuses the messages, or where the tokenizer does not know the
    ///   beginning- or end-of-sequence token that the template writes.
    public func encode(
        chat messages: [ChatMessage], template: ChatTemplate, addGenerationPrompt: Bool
    ) throws(TextError) -> [Int32] {
        guard let bos = specialTokens.bos else {
            throw .inconsistent(file: name, problem: "no bos_token is known, which chat template \(template.name) needs")
        }
        guard let eos = specialTokens.eos else {
            throw .inconsistent(file: name, problem: "no eos_token is known, which chat template \(template.name) needs")
        }
        let text = try template.render(
            messages, addGenerationPrompt: addGenerationPrompt, bos: bos.text, eos: eos.text)
        return encode(text, addSpecialTokens: false)
    }
}
