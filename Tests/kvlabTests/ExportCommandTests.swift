import Foundation
import Testing

@Suite struct ExportCommandTests {
    private let program = Program()

    @Test func whatIsExportedRuns() throws {
        let file = program.folder + "/a.gguf"
        let export = try program.run(["export", "--shape", "llama-quick", "--layers", "1", "--gguf", file])
        #expect(export.status == 0, "\(export.errors)")
        #expect(export.output.hasPrefix("\(file): ") && export.output.hasSuffix(" synthetic grid seed 1 as q4_0.\n"))
        let bench = try program.run([
            "bench", "--weights", file, "--weight-bits", "4", "--prompt", "8", "--generate", "0", "--repetitions", "1", "--json",
        ])
        let rows = try JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [[String: Any]]
        #expect(bench.status == 0 && rows?.count == 1, "\(bench.errors)")
    }

    @Test func whatTokenizerIsInTheFile() throws {
        let file = program.folder + "/a.gguf"
        let whole = try program.run(["export", "--weights", "datasets/checkpoints/llama-mini", "--gguf", file])
        #expect(whole.output.hasSuffix("\nIts tokenizer is the checkpoint's: 4096 tokens, gpt2 (gpt-2).\n"), "\(whole.errors)")
        let none = try program.run(["export", "--weights", "Tests/Fixtures/models/llama-plain", "--gguf", file])
        #expect(none.output.hasSuffix("\nIts tokenizer is a placeholder without meaning: the checkpoint has none.\n"), "\(none.errors)")
    }

    @Test func mistakes() throws {
        func errors(_ arguments: String...) throws -> (Int32, String) {
            let outcome = try program.run(["export"] + arguments)
            return (outcome.status, outcome.errors)
        }
        #expect(try errors("--gguf", "a").1.contains("Give --shape or --weights."))
        #expect(try errors("--shape", "llama-quick").1.contains("Give --gguf FILE or --hf DIR."))
        let type = try errors("--shape", "llama-quick", "--gguf", "a", "--type", "q5_k")
        #expect(type.0 == 2 && type.1.contains("--type must be one of f32, f16, bf16, q8_0, q4_0, and is 'q5_k'."))
        let missing = try errors("--shape", "lama-quick", "--gguf", "a")
        #expect(missing.0 == 1 && missing.1.hasPrefix("Error: Unknown shape 'lama-quick'. Did you mean 'llama-quick'?"))
        let folder = try errors("--shape", "llama-quick", "--layers", "1", "--gguf", "/nowhere/a.gguf")
        #expect(folder == (1, "Error: Cannot write /nowhere/a.gguf: No such file or directory.\n"))
    }
}
