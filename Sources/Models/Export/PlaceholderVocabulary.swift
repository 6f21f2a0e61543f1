import Tensors

/// A tokenizer for models that have none: GPT-2's letters for the 256 bytes, then names without meaning, and the last
/// token as the end of a text. llama.cpp's programs want one, though everything here is measured with token ids.
enum PlaceholderVocabulary {
    static func keys(size: Int) -> [(key: String, value: GGUFWriter.Value)] {
        var tokens = Array(byteLetters.prefix(size))
        tokens += (tokens.count..<size).map { "<token \($0)>" }
        var types = [Int32](repeating: normal, count: size)
        types[size - 1] = control
        let last = UInt32(size - 1)
        return [
            ("tokenizer.ggml.model", .text("gpt2")), ("tokenizer.ggml.pre", .text("default")),
            ("tokenizer.ggml.tokens", .texts(tokens)), ("tokenizer.ggml.token_type", .int32s(types)),
            ("tokenizer.ggml.merges", .texts([])), ("tokenizer.ggml.bos_token_id", .uint32(last)),
            ("tokenizer.ggml.eos_token_id", .uint32(last)), ("tokenizer.ggml.add_bos_token", .bool(false)),
        ]
    }

    /// Token types of GGUF files.
    private static let normal: Int32 = 1
    private static let control: Int32 = 3

    /// Printable Latin-1 characters stand for themselves, the other bytes for the characters from U+0100 on.
    /// - Source: `bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py
    private static let byteLetters: [String] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            if (0x21...0x7e).contains(byte) || (0xa1...0xac).contains(byte) || (0xae...0xff).contains(byte) {
                return String(Unicode.Scalar(byte)!)
            }
            defer { next += 1 }
            return String(Unicode.Scalar(next)!)
        }
    }()
}
