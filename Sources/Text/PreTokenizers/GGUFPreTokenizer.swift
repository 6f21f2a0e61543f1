/// The pre-tokenizers that GGUF files name in `tokenizer.ggml.pre`.
///
/// Source: `llama-vocab.cpp` of llama.cpp, whose lists of patterns are those of the original checkpoints; for
/// "deepseek-llm" single digits are taken as in the checkpoints, where llama.cpp takes runs of digits. Both give the
/// same ids, because those vocabularies join no digits.
enum GGUFPreTokenizer {
    static let supported = ["default", "llama-bpe", "gpt-2", "qwen2", "deepseek-llm", "deepseek-coder"]

    private static let defaultTexts = [#"[\p{P}\$\+<=>\^~\|]+"#, GPT2Pattern.text, #"\p{N}+"#, "[0-9][0-9][0-9]"]

    static func patterns(_ name: String) -> [any SplitPattern]? {
        switch name {
        case "default":
            defaultTexts.map(KnownPatterns.own)
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

    // MARK: Names for the steps of a tokenizer.json

    /// What the pre-tokenizer `Digits` cuts at, written as a pattern.
    static let digit = #"\p{N}"#

    /// The name under which llama.cpp cuts as these patterns do, one after another; nil where it has none.
    ///
    /// Where `isDigitwise`, llama.cpp takes runs of digits which these patterns cut: ids are the same if no token joins
    /// numbers, ``joinsNumbers(_:)``. A white space with each digit, and then GPT-2's pattern, is GPT-2's alone but for that:
    /// a space goes with a digit there too, and any other white space is a piece of its own in both.
    static func named(_ texts: [String]) -> (name: String, isDigitwise: Bool)? {
        switch texts {
        case [GPT2Pattern.text]: ("gpt-2", false)
        case [#"\s?\p{N}"#, GPT2Pattern.text]: ("gpt-2", true)
        case [Llama3Pattern.text(digits: 3)]: ("llama-bpe", false)
        case [Llama3Pattern.text(digits: 1)]: ("qwen2", false)
        case DeepSeekPatterns.llmTexts + [digit]: ("deepseek-llm", false)
        case DeepSeekPatterns.coderTexts + [digit]: ("deepseek-coder", false)
        case defaultTexts: ("default", false)
        default: nil
        }
    }

    /// Whether some token of a byte-level vocabulary may hold parts of two numbers that stand side by side; a part of a
    /// character may be one of a number.
    static func joinsNumbers(_ vocabulary: Vocabulary) -> Bool {
        var joins = false
        vocabulary.forEach { text, _ in
            // An added token has other characters.
            guard !joins, let bytes = ByteAlphabet.decode(text) else { return }
            joins = bytes.withUnsafeBufferPointer(holdsTwoNumbers)
        }
        return joins
    }

    private static func holdsTwoNumbers(_ bytes: UTF8Text) -> Bool {
        var at = 0
        var followsNumber = false
        while at < bytes.count {
            let length = bytes.validScalarLength(at: at)
            var end = at + max(1, length)
            var mayBeNumber = length > 0 && CharacterClass.of(bytes.scalar(at: at).value) == .number
            if length == 0 {
                while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
                let isEnd = bytes[at] & 0xC0 == 0x80
                mayBeNumber = isEnd || followsNumber && beginsNumber(bytes[at..<end])
            }
            if followsNumber, mayBeNumber { return true }
            followsNumber = mayBeNumber
            at = end
        }
        return false
    }

    /// Whether some number's first bytes are these, which are a first byte and not all that should follow it.
    private static func beginsNumber(_ part: Slice<UTF8Text>) -> Bool {
        let missing = UTF8Lead.expectation(part.first!).length - part.count
        guard missing > 0 else { return false }
        let first = UInt32(part.first!) & (0xFF >> UInt32(part.count + missing + 1))
        let known = part.dropFirst().reduce(first) { $0 << 6 | UInt32($1) & 0x3F }
        let start = known << UInt32(6 * missing)
        return (start..<start + 1 << UInt32(6 * missing)).contains { CharacterClass.of($0) == .number }
    }
}
