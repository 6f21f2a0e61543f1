import Foundation
import Testing

/// `kvlab cache export --form card` and what takes cards, on a trained checkpoint's agent.
@Suite struct CardCommandTests {
    private let program = Program()
    private var folder: String { program.folder + "/caches" }
    private var card: String { program.folder + "/card.safetensors" }

    init() throws {
        let outcome = try program.run([
            "generate", "--weights", "Tests/Fixtures/checkpoints/llama-mixed.gguf", "--prompt", "abc def", "--agent", "anna",
            "--cache-dir", program.folder + "/caches", "--max-tokens", "3", "--kv", "fp16",
        ])
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func cache(_ arguments: String...) throws -> Program.Outcome {
        try program.run(["cache"] + arguments + ["--cache-dir", folder])
    }

    @Test func carriedAndPutBehind() throws {
        #expect(try cache("export", "anna", "--form", "card", "--out", card).status == 0)
        let taken = try cache("import", card, "--agent", "bert", "--json")
        #expect(taken.status == 0, "\(taken.errors)")
        let facts = try JSONSerialization.jsonObject(with: Data(taken.output.utf8)) as? [String: Any]
        #expect(facts?["sender"] as? String == "anna" && facts?["hops"] as? Int == 1)
        let unnamed = try cache("import", card, "--agent", "bert", "--behind")
        #expect(unnamed.status == 1 && unnamed.errors.contains("name the model with --weights"))
        let behind = try cache(
            "import", card, "--agent", "bert", "--behind", "--weights", "Tests/Fixtures/checkpoints/llama-mixed.gguf")
        #expect(behind.status == 0, "\(behind.errors)")
        #expect(try cache("import", card).errors.contains("There is a cache of agent 'anna' in "))
    }

    @Test func closedWithAKey() throws {
        let key = program.folder + "/key"
        try Data(repeating: 65, count: 32).write(to: URL(fileURLWithPath: key))
        #expect(try cache("export", "anna", "--form", "card", "--card-key-file", key, "--last", "2", "--kv", "bf16", "--out", card).status == 0)
        let refused = try cache("import", card, "--agent", "bert")
        #expect(refused.status == 1 && refused.errors == "Error: \(card) is not accepted: it is closed with a shared key, and none is given.\n")
        let elsewhere = try cache("import", card, "--agent", "bert", "--card-key-file", key)
        #expect(elsewhere.status == 1 && elsewhere.errors.contains("name the model with --weights"))
        #expect(try cache("export", "anna", "--form", "card", "--last", "2", "--from", "1", "--to", "2", "--out", card).status == 2)
        #expect(try cache("export", "anna", "--form", "mlx", "--last", "2", "--out", card).status == 2)
        let long = try cache("export", "anna", "--form", "card", "--last", "2000", "--out", card)
        #expect(long.status == 1 && long.errors.hasPrefix("Error: No card can be made of the last 2000 tokens of agent 'anna': its context has "))
        #expect(try cache("export", "anna", "--form", "safetensors", "--out", card).status == 0)
        #expect(try cache("import", card, "--agent", "bert", "--behind").status == 2)
    }
}
