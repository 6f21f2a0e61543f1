import Foundation
import Tensors

/// The metadata of a GGUF file as the `config.json` of the same model.
///
/// - Source: llama.cpp `conversion/base.py`, `set_gguf_parameters`, and the readers in `src/models/`.
struct GGUFConfiguration {
    let file: GGUFFile
    let architecture: GGUFArchitecture

    /// Factors on rotary frequencies, which Llama 3's scaling became.
    static let frequencyFactors = "rope_freqs.weight"

    /// - Throws: ``ModelsError/unsupported(file:what:found:supported:)`` for another architecture, or a part of a
    ///   split file.
    init(_ file: GGUFFile) throws {
        self.file = file
        let name = try file.text("general.architecture") ?? "none"
        guard let architecture = GGUFArchitecture(rawValue: name) else {
            throw ModelsError.unsupported(
                file: file.file.path, what: "general.architecture", found: name,
                supported: GGUFArchitecture.allCases.map(\.rawValue))
        }
        self.architecture = architecture
        if let parts = try file.integer("split.count"), parts > 1 {
            throw ModelsError.unsupported(
                file: file.file.path, what: "split.count", found: "\(parts)", supported: ["1: merge the parts first"])
        }
    }

    /// Keys and values of the `config.json`.
    func object() throws -> [String: Any] {
        var object: [String: Any] = [
            "hidden_size": try integer("embedding_length"), "num_hidden_layers": try integer("block_count"),
            "num_attention_heads": try integer("attention.head_count"), "vocab_size": try vocabularySize(),
            "max_position_embeddings": try integer("context_length"),
            "rms_norm_eps": try number("attention.layer_norm_rms_epsilon", default: 1e-6),
            "tie_word_embeddings": file.tensors["output.weight"] == nil,
        ]
        if has("feed_forward_length") { object["intermediate_size"] = try integer("feed_forward_length") }
        let own =
            switch architecture {
            case .llama: try llama()
            case .gemma3: try gemma3()
            case .deepseek2: try deepSeek2()
            }
        object.merge(own) { $1 }
        return object
    }

    /// Rows of the embedding: converters may cut off rows without a token.
    private func vocabularySize() throws -> Int { try file.tensor("token_embd.weight").rows }

    func key(_ name: String) -> String { "\(architecture.rawValue).\(name)" }

    func has(_ name: String) -> Bool { file.metadata[key(name)] != nil }

    func integer(_ name: String, default fallback: Int? = nil) throws -> Int {
        guard let value = try file.integer(key(name)) ?? fallback else { throw missing(name) }
        return value
    }

    func number(_ name: String, default fallback: Double? = nil) throws -> Double {
        guard let value = try file.number(key(name)) ?? fallback else { throw missing(name) }
        return value
    }

    private func missing(_ name: String) -> ModelsError {
        .badConfiguration(file: file.file.path, key: key(name), problem: "is missing")
    }

    func bad(_ name: String, _ problem: String) -> ModelsError {
        .badConfiguration(file: file.file.path, key: key(name), problem: problem)
    }

    /// Refuses any whole number but `value` under `name`.
    func require(_ name: String, equals value: Int) throws {
        let found = try integer(name, default: value)
        guard found == value else {
            throw ModelsError.unsupported(
                file: file.file.path, what: key(name), found: "\(found)", supported: ["\(value)"])
        }
    }
}
