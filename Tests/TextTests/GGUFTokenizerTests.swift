import Testing
import Text

struct GGUFTokenizerTests {
    /// Byte-level models: the ids of the tokenizer.json with the same tokens and merges.
    @Test(arguments: [
        ("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"), ("deepseek-v2", "deepseek-llm"),
        ("deepseek-coder", "deepseek-coder"), ("default", "default"),
    ])
    func byteLevel(_ name: String, _ pre: String) throws {
        let tokenizer = try Tokenizer(gguf: try metadata(name, pre: pre))
        // Qwen 2 normalizes to NFC, which llama.cpp does not.
        for item in try Fixtures.document("\(name)/golden.json").required("cases").elements() where name != "qwen2" {
            let golden = try GoldenCase(item)
            #expect(
                tokenizer.encode(golden.text, addSpecialTokens: false) == golden.ids, "\(golden.text.debugDescription)")
            #expect(Array(tokenizer.decode(golden.ids).utf8) == Array(golden.decoded.utf8))
        }
        #expect(
            tokenizer.encode("I'm 4096 the") == (pre == "llama-bpe" ? [tokenizer.specialTokens.bos!.id] : [])
                + (try Fixtures.tokenizer(name).encode("I'm 4096 the", addSpecialTokens: false)))
    }

    /// SentencePiece models: the ids and texts of the sentencepiece library.
    @Test(arguments: ["llama", "gemma"])
    func scores(_ name: String) throws {
        let document = try Fixtures.document("sentencepiece/\(name).json")
        let tokenizer = try Tokenizer(gguf: try Fixtures.sentencePieceMetadata(name))
        #expect(tokenizer.encode("a").first == tokenizer.specialTokens.bos?.id)
        for item in try document.required("cases").elements() {
            let golden = try GoldenCase(item)
            #expect(
                tokenizer.encode(golden.text, addSpecialTokens: false) == golden.ids, "\(golden.text.debugDescription)")
            #expect(Array(tokenizer.decode(golden.ids).utf8) == Array(golden.decoded.utf8))
        }
    }

    /// What a converter would write into a GGUF file for one of the tokenizers in the fixtures.
    private func metadata(_ name: String, pre: String) throws -> GGUFTokenizerMetadata {
        let root = try Fixtures.document("\(name)/tokenizer.json")
        let model = try root.required("model")
        let added = try root.required("added_tokens").elements()
        let vocab = try model.required("vocab")
        var tokens = [String](repeating: "", count: vocab.value.count + added.count)
        for (key, id) in vocab.value.members { tokens[try #require(id.integer)] = try #require(key.string) }
        var types = [GGUFTokenizerMetadata.TokenType](repeating: .normal, count: tokens.count)
        for token in added {
            let id = try token.required("id").integer()
            tokens[id] = try token.required("content").string()
            types[id] = try token.required("special").boolean() ? .control : .userDefined
        }
        let merges = try model.required("merges").elements().map { merge in
            if let text = merge.value.string { return text }
            return try merge.elements().map { try $0.string() }.joined(separator: " ")
        }
        return GGUFTokenizerMetadata(
            file: name, model: "gpt2", pre: pre, tokens: tokens, types: types, merges: merges, bosID: tokens.count - 1)
    }
}
