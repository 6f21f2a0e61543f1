extension Tokenizer {
    /// The ids of a conversation in the form of a model family, as transformers' `apply_chat_template` gives them with
    /// `tokenize=True`.
    ///
    /// - Throws: ``TextError`` where the template refuses the messages, or where the tokenizer does not know the
    ///   beginning- or end-of-sequence token that the template writes.
    public func encode(
        chat messages: [ChatMessage], template: ChatTemplate, addGenerationPrompt: Bool
    ) throws(TextError) -> [Int32] {
        let bos = try needed(specialTokens.bos, "bos_token", template)
        let eos = template == .deepseekV2 ? try needed(specialTokens.eos, "eos_token", template) : ""
        let text = try template.render(messages, addGenerationPrompt: addGenerationPrompt, bos: bos, eos: eos)
        return encode(text, addSpecialTokens: false)
    }

    private func needed(
        _ token: SpecialTokens.Named?, _ key: String, _ template: ChatTemplate
    ) throws(TextError) -> String {
        guard let token else {
            throw .inconsistent(
                file: name, problem: "no \(key) is known, which chat template '\(template.name)' writes")
        }
        return token.text
    }
}
