import Foundation
import Testing
import Text

struct GSM8KTests {
    private func problems(_ text: String) throws -> [GSM8K.Problem] {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).jsonl"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            return try GSM8K(path: path).problems
        } catch TextError.inconsistent(_, let problem) {
            throw TextError.inconsistent(file: "f", problem: problem)
        }
    }

    /// Lines in the form of the published file, written for this test.
    @Test func readsProblems() throws {
        let read = try problems(
            #"""
            {"question": "Ada\u2019s 1,100 crates and 100.  How many?", "answer": "1100+100=<<1100+100=1200>>1200.\n#### 1,200"}
            {"question": "Nine less twelve?", "answer": "9-12=<<9-12=-3>>-3\n#### -3"}

            """#)
        #expect(read.count == 2)
        #expect(read[0].question == "Ada’s 1,100 crates and 100.  How many?")
        #expect(read.map { GSM8K.result(of: $0.answer) } == ["1200", "-3"])
    }

    @Test(arguments: [
        ("9 * 2 = 18\n#### 18", "18"), ("####  $1,234.50 a day", "1234.50"), ("#### 12.\n#### 13", "12"), ("#### -4", "-4"),
        ("18", nil), ("#### none", nil), ("#### 1-2", nil), ("####", nil),
    ])
    func theResultIsTheFirstNumberAfterTheMark(answer: String, result: String?) {
        #expect(GSM8K.result(of: answer) == result)
    }

    @Test func refusesWhatIsNoProblem() {
        for (text, problem) in [
            ("", "there is no problem in it"),
            ("{\"question\": \"How many?\"}\n", "line 1 has no 'question' and 'answer'"),
            ("{\"question\": \"How many?\", \"answer\": \"Four\"}\n", "the answer of line 1 does not end with '#### n'"),
        ] {
            #expect(throws: TextError.inconsistent(file: "f", problem: problem)) { try problems(text) }
        }
        #expect(throws: TextError.unreadable(file: "/nowhere", reason: "there is no such file, or it may not be read")) {
            try GSM8K(path: "/nowhere")
        }
    }
}
