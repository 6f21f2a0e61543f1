import Foundation
import Testing
import Text

/// What is written into a GGUF file of a `tokenizer.json`, read back.
struct GGUFTokenizerWriterTests {
    private func metadata(_ name: String) throws -> GGUFTokenizerMetadata {
        try GGUFTokenizerMetadata(directory: Fixtures.directory.appendingPathComponent(name))
    }

    /// Byte-level models: the ids of Hugging Face tokenizers.
    @Test(arguments: [
        ("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("deepseek-v2", "deepseek-llm"), ("deepseek-coder", "deepseek-coder"),
        ("default", "default"),
    ])
    func byteLevel(_ name: String, _ pre: String) throws {
        let metadata = try metadata(name)
        #expect(metadata.model == "gpt2" && metadata.pre == pre && metadata.scores.isEmpty)
        let tokenizer = try Tokenizer(gguf: metadata)
        let source = try Fixtures.tokenizer(name)
        #expect(tokenizer.specialTokens == source.specialTokens)
        for item in try Fixtures.document("\(name)/golden.json").required("cases").elements() {
            let golden = try GoldenCase(item)
            #expect(tokenizer.encode(golden.text, addSpecialTokens: false) == golden.ids, "\(golden.text.debugDescription)")
            #expect(tokenizer.encode(golden.text) == source.encode(golden.text))
            #expect(Array(tokenizer.decode(golden.ids).utf8) == Array(golden.decoded.utf8))
        }
    }

    /// Scores made from merges: the ids of the sentencepiece library, whose pieces and scores the merges are made of.
    @Test(arguments: ["llama", "gemma"])
    func scores(_ name: String) throws {
        let source = try Fixtures.sentencePieceMetadata(name)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(source, to: folder)
        let metadata = try GGUFTokenizerMetadata(directory: folder)
        #expect(metadata.model == "llama" && metadata.addsSpacePrefix == source.addsSpacePrefix && metadata.addsBOS == true)
        #expect(metadata.tokens.map { Array($0.utf8) } == source.tokens.map { Array($0.utf8) } && metadata.types == source.types)
        let tokenizer = try Tokenizer(gguf: metadata)
        for item in try Fixtures.document("sentencepiece/\(name).json").required("cases").elements() {
            let golden = try GoldenCase(item)
            #expect(tokenizer.encode(golden.text, addSpecialTokens: false) == golden.ids, "\(golden.text.debugDescription)")
        }
    }

    /// A `tokenizer.json` as transformers make it of a SentencePiece model: every two pieces that make a third join, the
    /// highest score of the third first.
    private func write(_ source: GGUFTokenizerMetadata, to folder: URL) throws {
        func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
        let ids = Dictionary(uniqueKeysWithValues: source.tokens.enumerated().map { (Array($1.utf8), $0) })
        var merges: [String] = []
        let order = source.tokens.indices.sorted { source.scores[$0] > source.scores[$1] }
        for id in order where source.types[id] == .normal || source.types[id] == .userDefined {
            let scalars = source.tokens[id].unicodeScalars
            for cut in scalars.indices.dropFirst() {
                let sides = [scalars[..<cut], scalars[cut...]].map { String(String.UnicodeScalarView($0)) }
                guard sides.allSatisfy({ ids[Array($0.utf8)] != nil }) else { continue }
                merges.append("[\(try sides.map(quoted).joined(separator: ","))]")
            }
        }
        let added = try source.tokens.enumerated().compactMap { id, token -> String? in
            guard source.types[id] == .control || source.types[id] == .userDefined else { return nil }
            let flags = #""single_word":false,"lstrip":false,"rstrip":false,"normalized":false"#
            return #"{"id":\#(id),"content":\#(try quoted(token)),"special":\#(source.types[id] == .control),\#(flags)}"#
        }
        let replace = #"{"type":"Replace","pattern":{"String":" "},"content":"▁"}"#
        let normalizer =
            source.addsSpacePrefix!
            ? #"{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},\#(replace)]}"# : replace
        let vocabulary = try source.tokens.enumerated().map { "\(try quoted($1)):\($0)" }.joined(separator: ",")
        let text = """
            {"version":"1.0","added_tokens":[\(added.joined(separator: ","))],"normalizer":\(normalizer),"pre_tokenizer":null,\
            "model":{"type":"BPE","unk_token":\(try quoted(source.tokens[source.unknownID!])),"fuse_unk":true,"byte_fallback":true,\
            "vocab":{\(vocabulary)},"merges":[\(merges.joined(separator: ","))]}}
            """
        let names = try [("bos_token", source.bosID!), ("eos_token", source.eosID!)].map { name, id in
            #""\#(name)":\#(try quoted(source.tokens[id]))"#
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: folder.appendingPathComponent("tokenizer.json"))
        try Data(#"{\#(names.joined(separator: ",")),"add_bos_token":true}"#.utf8)
            .write(to: folder.appendingPathComponent("tokenizer_config.json"))
    }

    /// What llama.cpp would make other ids of.
    @Test(arguments: [
        ("qwen2", "a normalizer of a byte-level model"), ("digits", "this pre_tokenizer"),
        ("gemma", "a model that does not join every two tokens that make one together"),
        ("llama2", "the added token '<pad>', which is looked for in normalized text"),
    ])
    func refused(_ name: String, _ what: String) throws {
        do {
            _ = try metadata(name)
            Issue.record("\(name) is written")
        } catch let error as TextError {
            guard case .unsupported(let file, let found, _) = error else { throw error }
            #expect(found == what + " in a GGUF file" && file.hasSuffix("\(name)/tokenizer.json"))
        }
    }

    /// A white space goes with each digit, which is GPT-2's pattern as long as no token holds two.
    @Test(arguments: [("12", false), ("Ġ7", true), ("1½", false), ("a1", true), ("½", true), ("Ĳâķ", true), ("1âĳ", false)])
    func digitsOfTheirOwn(_ token: String, _ isWritten: Bool) throws {
        // The last byte of "═" (E2 95 90) and its first two are no two numbers; "1" and the first bytes of "①" (E2 91 A0) may be. "½"
        // is the bytes C2 BD, which byte-level vocabularies write "Â½".
        let word = token.replacingOccurrences(of: "½", with: "Â½")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = Fixtures.directory.appendingPathComponent("gpt2/tokenizer.json")
        var root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        root["pre_tokenizer"] = [
            "type": "Sequence",
            "pretokenizers": [
                ["type": "Split", "pattern": ["Regex": #"\s?\p{N}"#], "behavior": "Isolated", "invert": false],
                ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true],
            ],
        ]
        // A vocabulary of the bytes and this word alone.
        var model = try #require(root["model"] as? [String: Any])
        let bytes = try #require(model["vocab"] as? [String: Int]).filter { $0.value < 256 }
        #expect(bytes.count == 256)
        model["vocab"] = bytes.merging([word: 256]) { old, _ in old }
        model["merges"] = [String]()
        root["model"] = model
        root["added_tokens"] = [Any]()
        try JSONSerialization.data(withJSONObject: root).write(to: folder.appendingPathComponent("tokenizer.json"))
        guard isWritten else {
            #expect(throws: TextError.self) { try GGUFTokenizerMetadata(directory: folder) }
            return
        }
        let metadata = try GGUFTokenizerMetadata(directory: folder)
        #expect(metadata.pre == "gpt-2")
        let (source, found) = (try Tokenizer(directory: folder), try Tokenizer(gguf: metadata))
        for text in ["a 12  3\n4\u{A0}5", " 1 2\t\t3 x", "3's 10ab ½½ ²", "x  \n 77\r\n8"] {
            #expect(found.encode(text) == source.encode(text), "\(text.debugDescription)")
        }
    }
}
