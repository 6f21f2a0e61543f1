import Foundation
import Fuzzing
import Testing
import Text

/// Truncated and altered tokenizer files give an error or a tokenizer, never a crash, a hang or a large allocation.
@Suite(.serialized) struct DamagedFileTests {
    @Test(arguments: ["llama3", "gemma", "odd"])
    func truncated(_ name: String) throws {
        let whole = try Self.data(name)
        for length in stride(from: 0, to: whole.count - 2, by: 97) {
            let error = #expect(throws: TextError.self) {
                try Tokenizer(tokenizerJSON: whole.prefix(length), file: "t.json")
            }
            // The last character may be cut too, which begins up to three bytes earlier.
            guard case .malformedJSON("t.json", let offset, _) = error, (length - 3...length).contains(offset) else {
                Issue.record("cut at \(length): \(String(describing: error))")
                continue
            }
        }
    }

    /// Every error names the file; `Fuzz` says what else is a finding.
    @Test func altered() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            let samples = try ["llama3", "gemma", "odd", "deepseek-v2", "llama2"].map { try [UInt8](DamagedFileTests.data($0)) }
            let namesFile = { (error: any Error) in
                error is TextError && "\(error)".contains("'t.json'") && "\(error)".hasSuffix(".")
            }
            Fuzz("tokenizer.json", samples: samples, seconds: 2).run(isRefusal: namesFile) { bytes in
                let tokenizer = try Tokenizer(tokenizerJSON: Data(bytes), file: "t.json")
                let ids = tokenizer.encode("The lighthouse 123\n<s> ▁ 中文 e\u{301}")
                _ = tokenizer.decode(ids)
            }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: Fixtures.directory.appendingPathComponent("\(name)/tokenizer.json"))
    }
}
