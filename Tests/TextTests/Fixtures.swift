import Foundation

import Text

/// The files in Tests/Fixtures/tokenizers.
enum Fixtures {
    static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")

    /// Every tokenizer that make_tokenizers.py writes.
    static let names = [
        "gpt2", "digits", "llama3", "qwen2", "deepseek-v2", "deepseek-coder", "llama2", "gemma", "metaspace-first",
        "metaspace-always", "metaspace-never", "odd",
    ]

    static func document(_ name: String) throws -> JSONField {
        JSONField(try JSONDocument(contentsOf: directory.appendingPathComponent(name)).root)
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(directory: directory.appendingPathComponent(name))
    }
}
