import Foundation
import Testing
import Text

/// What is not supported or contradictory is refused with a sentence that names the file, the key and the byte.
struct TokenizerErrorTests {
    /// A small tokenizer.json in which `text` has been replaced once.
    private func changed(_ text: String, _ replacement: String, in name: String = "tiny") throws -> Data {
        let original = Self.tiny
        let range = try #require(original.range(of: text))
        return Data(original.replacingCharacters(in: range, with: replacement).utf8)
    }

    private static let tiny = #"""
        {"version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [{"id": 5, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "normalizer": {"type": "Prepend", "prepend": "_"},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\p{N}"}, "behavior": "Isolated", "invert": false},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [5], "tokens": ["<s>"]}}},
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "dropout": null, "unk_token": "a", "vocab": {"a": 0, "b": 1, "ab": 2, "_": 3, "_a": 4}, "merges": ["a b", "_ a"]}}
        """#

    @Test func tinyIsRead() throws {
        let tokenizer = try Tokenizer(tokenizerJSON: Data(Self.tiny.utf8))
        #expect(tokenizer.encode("ab<s>x") == [5, 3, 2, 5, 4])
        #expect(tokenizer.vocabularySize == 6)
        #expect(tokenizer.id(of: "_a") == 4)
        #expect(tokenizer.id(of: "<s>") == 5)
        #expect(tokenizer.id(of: "zz") == nil)
        #expect(tokenizer.token(2) == "ab")
        #expect(tokenizer.token(6) == nil)
        #expect(tokenizer.decode([4, 1, 99, -1, 5]) == "_ab<s>")
        #expect(tokenizer.decode([4, 1, 5], skipSpecialTokens: true) == "_ab")
    }

    @Test(arguments: [
        (
            #""Split", "pattern""#, #""UnigramX", "pattern""#,
            "'t.json': pre_tokenizer type 'UnigramX' is not supported; supported: Sequence, Split, ByteLevel, Digits, Punctuation, Metaspace."
        ),
        (
            #""\\p{N}""#, #""\\d+(x)""#,
            #"'t.json': pre_tokenizer.pattern.Regex '\d+(x)' is not supported; supported: the patterns of GPT-2, Llama 3 and Qwen 2, \s+$, runs of one set such as \s?\p{L}+, \p{N}{1,3} or [\r\n]."#
        ),
        (
            #""Isolated""#, #""Sideways""#,
            "'t.json': pre_tokenizer.behavior 'Sideways' is not supported; supported: Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous."
        ),
        (
            #""Prepend", "prepend": "_""#, #""Lowercase""#,
            "'t.json': normalizer type 'Lowercase' is not supported; supported: Sequence, Replace, Prepend, NFC, NFD, NFKC, NFKD."
        ),
        (
            #""type": "Fuse""#, #""type": "WordPiece""#,
            "'t.json': decoder type 'WordPiece' is not supported; supported: Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace."
        ),
        (
            #""TemplateProcessing""#, #""RobertaProcessing""#,
            "'t.json': post_processor type 'RobertaProcessing' is not supported; supported: TemplateProcessing, ByteLevel, Sequence."
        ),
        (#""BPE""#, #""Unigram""#, "'t.json': model.type 'Unigram' is not supported; supported: BPE."),
        (
            #""dropout": null"#, #""dropout": 0.1"#,
            "'t.json': model.dropout other than null is not supported; supported: null."
        ),
        (
            #""truncation": null"#, #""truncation": {"max_length": 8}"#,
            "'t.json': truncation other than null is not supported; supported: null."
        ),
        (#""version": "1.0""#, #""version": "2.0""#, "'t.json': version '2.0' is not supported; supported: 1.0."),
        (
            #""type": "Fuse""#, #""type": "Fuse", "new": 1"#,
            "'t.json': decoder key 'new' is not supported; supported: type."
        ),
        (
            #""_ a""#, #""_ c""#,
            "'t.json', key 'model.merges[1]' at byte 753: joins a token that is not in the vocabulary."
        ),
        (
            #""_ a""#, #""b a""#,
            "'t.json', key 'model.merges[1]' at byte 753: makes 'ba', which is not in the vocabulary."
        ),
        (#""_ a""#, #""_a""#, "'t.json', key 'model.merges[1]' at byte 753: is not two tokens with one space between."),
        (#""_ a""#, #"["_", "a"]"#, "'t.json', key 'model.merges[1]' at byte 752: mixes two forms of merges."),
        (#""b": 1"#, #""a": 1"#, "'t.json', key 'model.vocab' at byte 700: has the token 'a' twice."),
        (#""b": 1"#, #""b": 0"#, "'t.json', key 'model.vocab' at byte 700: has the id 0 twice."),
        (
            #""b": 1"#, #""b": 99999999"#,
            "'t.json', key 'model.vocab' at byte 700: has the id 99999999, which is not below 4194304."
        ),
        (#""b": 1"#, #""b": "1""#, "'t.json', key 'model.vocab' at byte 705: should have whole numbers as ids."),
        (
            #""id": 5, "content""#, #""id": 6, "content""#,
            "'t.json', key 'added_tokens[0]' at byte 73: gives the added token '<s>' the id 6 instead of 5."
        ),
        (
            #""special": true"#, #""special": 1"#,
            "'t.json', key 'added_tokens[0].special' at byte 189: should be a boolean but is a number."
        ),
        (#""special": true"#, #""special": null"#, "'t.json', key 'added_tokens[0]' at byte 73: has no 'special'."),
        (
            #""ids": [5]"#, #""ids": [7]"#,
            "'t.json', key 'post_processor.special_tokens.<s>.ids[0]' at byte 566: is not the id of a token."
        ),
        (
            #""unk_token": "a""#, #""unk_token": "q""#,
            "'t.json': there is no unknown token and no token for the byte 0x0, so that some text would be lost."
        ),
        (
            #""merges""#, #""merge""#,
            "'t.json': model key 'merge' is not supported; supported: type, dropout, unk_token, continuing_subword_prefix, end_of_word_suffix, fuse_unk, byte_fallback, ignore_merges, vocab, merges."
        ),
        (
            #""model": {"#, #""model": 3, "x": {"#,
            "'t.json': (root) key 'x' is not supported; supported: version, truncation, padding, added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model."
        ),
    ])
    func refused(_ text: String, _ replacement: String, _ sentence: String) throws {
        let data = try changed(text, replacement)
        let error = #expect(throws: TextError.self) { try Tokenizer(tokenizerJSON: data, file: "t.json") }
        #expect(error?.description == sentence)
    }

    @Test func missingDirectory() {
        let error = #expect(throws: TextError.self) { try Tokenizer(directory: URL(fileURLWithPath: "/nowhere")) }
        #expect(
            error?.description
                == "Cannot read '/nowhere/tokenizer.json': there is no such file, and no other form of tokenizer is read."
        )
    }

    @Test func gguf() {
        let cases: [(GGUFTokenizerMetadata, String)] = [
            (
                .init(file: "m.gguf", model: "bert", tokens: ["a"]),
                "'m.gguf': tokenizer.ggml.model 'bert' is not supported; supported: gpt2, llama."
            ),
            (
                .init(file: "m.gguf", model: "gpt2", pre: "falcon", tokens: ["a"]),
                "'m.gguf': tokenizer.ggml.pre 'falcon' is not supported; supported: default, llama-bpe, gpt-2, qwen2, deepseek-llm, deepseek-coder."
            ),
            (.init(file: "m.gguf", model: "llama", tokens: []), "'m.gguf': tokenizer.ggml.tokens is empty."),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["a", "b"], scores: [1]),
                "'m.gguf': tokenizer.ggml.scores has 1 entries for 2 tokens."
            ),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["a"], scores: [.nan]),
                "'m.gguf': tokenizer.ggml.scores[0] is not a number."
            ),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["a", "a"], scores: [0, 0]),
                "'m.gguf': tokenizer.ggml.tokens has 'a' twice, the second as 1."
            ),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["ab", "a"], scores: [0, 0], unknownID: 1),
                "'m.gguf': the token 'ab' (0) has the character 'b', which is no token itself; such a vocabulary is not supported."
            ),
            (
                .init(file: "m.gguf", model: "gpt2", tokens: ["a"], types: [.normal, .byte]),
                "'m.gguf': tokenizer.ggml.token_type has 2 entries for 1 tokens."
            ),
            (
                .init(file: "m.gguf", model: "gpt2", tokens: ["a"], merges: ["a  a"]),
                "'m.gguf': tokenizer.ggml.merges[0] 'a  a' is not two tokens with one space between."
            ),
            (
                .init(file: "m.gguf", model: "gpt2", tokens: ["a"], merges: ["a a"]),
                "'m.gguf': tokenizer.ggml.merges[0] 'a a' joins or makes a token that is not there."
            ),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["a"], scores: [0], bosID: 1, unknownID: 0),
                "'m.gguf': tokenizer.ggml.bos_token_id is 1, but there are 1 tokens."
            ),
            (
                .init(file: "m.gguf", model: "llama", tokens: ["a"], scores: [0], unknownID: 0, addsBOS: true),
                "'m.gguf': tokenizer.ggml.add_bos_token is true, but there is no bos_token_id."
            ),
        ]
        for (metadata, sentence) in cases {
            let error = #expect(throws: TextError.self) { try Tokenizer(gguf: metadata) }
            #expect(error?.description == sentence)
        }
    }
}
