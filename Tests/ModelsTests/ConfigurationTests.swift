import Foundation
import Models
import Testing

@Suite struct ConfigurationTests {
    private func read(_ json: String) throws -> LlamaConfiguration {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).json"
        try Data(json.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            return try ModelRegistry.configuration(path: path) as! LlamaConfiguration
        } catch let error as ModelsError {
            throw Failure(message: error.description.replacingOccurrences(of: path, with: "config.json"))
        }
    }

    private struct Failure: Error { let message: String }

    private func message(_ json: String) -> String {
        do {
            _ = try read(json)
            return "no error"
        } catch { return (error as? Failure)?.message ?? "\(error)" }
    }

    private func llama(_ changes: [String: Any?]) -> String {
        var object: [String: Any] = [
            "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
            "num_attention_heads": 4, "vocab_size": 100, "rope_theta": 500000.0,
        ]
        for (key, value) in changes { object[key] = value }
        return String(decoding: try! JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }

    @Test func defaults() throws {
        let c = try read(llama([:]))
        #expect(c.kvHeads == 4 && c.headWidth == 64 && !c.tiedEmbeddings)
        #expect(c.rope.frequencies.count == 32)
        #expect(c.rope.frequencies[0] == 1)
    }

    /// Old and new spelling of RoPE give the same.
    @Test func ropeInBothForms() throws {
        let scaling: [String: Any] = [
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        ]
        let old = try read(llama(["rope_scaling": scaling]))
        let new = try read(llama(["rope_theta": nil, "rope_parameters": scaling.merging(["rope_theta": 500000.0]) { $1 }]))
        #expect(old.rope == new.rope)
        let plain = try read(llama([:]))
        #expect(old.rope.frequencies[0] == plain.rope.frequencies[0])
        #expect(old.rope.frequencies[31] == plain.rope.frequencies[31] / 8)
    }

    @Test func mistakesAreNamed() {
        #expect(message("[]") == "Cannot read config.json: it is not a JSON object.")
        #expect(message(llama(["hidden_size": nil])) == "config.json: 'hidden_size' is missing.")
        #expect(message(llama(["hidden_size": "big"])) == "config.json: 'hidden_size' must be a whole number of at least 1.")
        #expect(message(llama(["num_key_value_heads": 3])) == "config.json: 'num_key_value_heads' (3) must divide num_attention_heads (4).")
        #expect(
            message(llama(["rope_scaling": ["rope_type": "longrope"]]))
                == "config.json: rope_scaling.rope_type 'longrope' is not supported; supported: default, linear, llama3, yarn.")
        #expect(message(llama(["attention_bias": true])) == "config.json: attention_bias 'true' is not supported; supported: false.")
        #expect(message(llama(["model_type": "mamba"])).hasPrefix("config.json: model_type 'mamba' is not supported; supported: llama, "))
    }
}
