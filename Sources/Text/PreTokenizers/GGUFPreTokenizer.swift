/// The pre-tokenizers that GGUF files name in `tokenizer.ggml.pre`.
///
/// Source: `llama-vocab.cpp` of llama.cpp, whose lists of patterns are those of the original checkpoints; for
/// "deepseek-llm" single digits are taken as in the checkpoints, where llama.cpp takes runs of digits. Both give the
/// same ids, because those vocabularies join no digits.
enum GGUFPreTokenizer {
    static let supported = ["default", "llama-bpe", "gpt-2", "qwen2", "deepseek-llm", "deepseek-coder"]

    static func patterns(_ name: String) -> [any SplitPattern]? {
        switch name {
        case "default":
            [#"[\p{P}\$\+<=>\^~\|]+"#, GPT2Pattern.text, #"\p{N}+"#, "[0-9][0-9][0-9]"].map(KnownPatterns.own)
        case "llama-bpe", "llama3", "llama-v3": [Llama3Pattern(digits: 3)]
        case "gpt-2": [GPT2Pattern()]
        case "qwen2": [Llama3Pattern(digits: 1)]
        case "deepseek-llm": DeepSeekPatterns.llm
        case "deepseek-coder": DeepSeekPatterns.coder
        default: nil
        }
    }

    /// Whether the model of this pre-tokenizer takes a piece that is a token as a whole, and begins texts with the
    /// beginning-of-sequence token where the file does not say.
    static func isLlama3(_ name: String) -> Bool { ["llama-bpe", "llama3", "llama-v3"].contains(name) }
}
