import Foundation
import Testing
import Text

/// The files in Tests/Fixtures/tokenizers.
enum Fixtures {
    static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")

    /// Every tokenizer that make_tokenizers.py writes.
    static let names = [
        "gpt2", "digits", "llama3", "qwen2", "default", "deepseek-v2", "deepseek-coder", "llama2", "gemma",
        "metaspace-first", "metaspace-always", "metaspace-never", "odd", "named",
    ]

    static func document(_ name: String) throws -> JSONField {
        JSONField(try JSONDocument(contentsOf: directory.appendingPathComponent(name)).root)
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(directory: directory.appendingPathComponent(name))
    }

    /// What a GGUF file would say about one of the models in sentencepiece/.
    static func sentencePieceMetadata(_ name: String) throws -> GGUFTokenizerMetadata {
        let document = try document("sentencepiece/\(name).json")
        let integers = { (key: String) in try document.required(key).elements().map { try $0.integer() } }
        return GGUFTokenizerMetadata(
            file: name, model: "llama", tokens: try document.required("tokens").elements().map { try $0.string() },
            scores: try document.required("scores").elements().map { Float(try #require($0.value.number)) },
            types: try integers("types").map { try #require(.init(rawValue: $0)) },
            bosID: try document.required("bos").integer(), eosID: try document.required("eos").integer(),
            unknownID: try document.required("unk").integer(),
            addsSpacePrefix: try document.required("prefix").boolean())
    }
}
