/// How a model family writes a conversation as one text: its published Jinja template for messages with a role and a
/// text, as a function. Each equals transformers' `apply_chat_template`, held by `ChatTemplateTests`.
public enum ChatTemplate: Sendable, Equatable {
    /// Llama 3 (Meta-Llama-3-8B-Instruct): headers and messages only.
    case llama3
    /// Llama 3.1 and 3.2: a system turn always comes first and names two dates. The published templates write
    /// "26 Jul 2024" where no date is given (3.2 the day of the run, which no experiment could repeat).
    case llama31(date: String = "26 Jul 2024")
    /// Gemma 3; also Gemma 1 and 2 where there is no system message.
    case gemma
    /// DeepSeek-V2 and DeepSeek LLM chat models.
    case deepseekV2

    /// The name that errors use.
    public var name: String {
        switch self {
        case .llama3: "llama3"
        case .llama31: "llama31"
        case .gemma: "gemma"
        case .deepseekV2: "deepseekV2"
        }
    }

    /// The conversation as one text, special tokens written out; encode it with `addSpecialTokens: false`.
    ///
    /// - Parameters:
    ///   - messages: at least one; a system message only as the first, where the template has a place for it.
    ///   - addGenerationPrompt: end with the opening of the assistant's turn.
    ///   - bos: text of the beginning-of-sequence token, which every template writes first.
    ///   - eos: text of the end-of-sequence token; only DeepSeek-V2 writes it.
    /// - Throws: ``TextError/badChat(template:position:problem:)`` for what the published template refuses, for no
    ///   messages at all, and for a system message that it would lose.
    public func render(
        _ messages: [ChatMessage], addGenerationPrompt: Bool, bos: String, eos: String
    ) throws(TextError) -> String {
        guard !messages.isEmpty else { throw fail(0, "there is no message") }
        switch self {
        case .llama3: return bos + Self.llamaTurns(messages, addGenerationPrompt)
        case .llama31(let date): return bos + Self.llama31(messages, date, addGenerationPrompt)
        case .gemma: return try bos + gemma(messages, addGenerationPrompt)
        case .deepseekV2: return bos + Self.deepseek(messages, addGenerationPrompt, eos: eos)
        }
    }

    func fail(_ position: Int, _ problem: String) -> TextError {
        .badChat(template: name, position: position, problem: problem)
    }
}
