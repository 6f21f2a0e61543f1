import Foundation
import Testing

@Suite struct CompareCommandTests {
    @Test func badInputIsAnsweredInASentence() throws {
        let program = Program()
        for (arguments, sentence) in [
            (["--schemes", "q8_0,q4_O0"], "Unknown scheme 'q4_O0'. Did you mean 'q4_0'? Available: fp32"),
            (
                ["--schemes", "q8_0,hadamard-64(q4_0"],
                "Scheme expression 'q8_0,hadamard-64(q4_0', character 22: the bracket is not closed; a ')' is missing."
            ),
            (["--schemes", " , "], "--schemes names no cache scheme; see kvlab schemes."),
            (["--model", "llama-nini"], "Unknown model 'llama-nini'. Did you mean 'llama-mini'? Available: deepseek-mini, gemma3-mini, llama-mini"),
            (["--interval", "0"], "--interval must be more than 0, and is 0.0."),
            (["--seconds", "0"], "--seconds must be more than 0, and is 0.0."),
        ] {
            let outcome = try program.run(["compare", "--out", program.folder] + arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(sentence), "\(arguments): \(outcome.errors)")
        }
    }

    /// Two schemes, the least time: a table with a row for each and the base, a reason for the one that does not fit, and a
    /// figure.
    @Test func comparesWhatWasNamed() throws {
        let program = Program()
        let outcome = try program.run([
            "compare", "--model", "llama-mini", "--schemes", "q8_0,affine-q4-g128", "--seconds", "0.01", "--profile", "quick",
            "--out", program.folder, "--set", "window=256", "--set", "documents=1", "--set", "tasks=dialogue", "--set", "depth=64",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("Cache schemes side by side: llama-mini"))
        for start in ["q8_0 ", "fp16 (noise floor", "affine-q4-g128 "] {
            #expect(outcome.output.split(separator: "\n").contains { $0.hasPrefix(start) }, "\(start)")
        }
        #expect(outcome.output.contains("needs rows of a multiple of 128 elements, and these have 64; fp16 takes any."))
        let folder = program.folder + "/latest"
        #expect(FileManager.default.fileExists(atPath: folder + "/figures/F-schemes.png"))
        #expect(FileManager.default.fileExists(atPath: folder + "/tables/schemes-pairs-llama-mini.md") == false)
    }
}
