import Foundation
import Testing

/// `tasks generate` and `tasks score`, on the checkpoint that comes with kvlab.
@Suite struct TasksCommandTests {
    private let program = Program()

    @Test func generateAndScore() throws {
        let generated = try program.run([
            "tasks", "generate", "--task", "dialogue", "--split", "test", "--seed", "7", "--count", "2",
        ])
        #expect(generated.status == 0, "\(generated.errors)")
        #expect(generated.output.split(separator: "\n").count == 2)
        let file = program.folder + "/dialogues.jsonl"
        try Data(generated.output.utf8).write(to: URL(fileURLWithPath: file))
        let arguments = [
            "tasks", "score", "--weights", Program.root + "/datasets/checkpoints/llama-mini", "--kv", "fp16", "--compute",
            "reference", "--file", file,
        ]
        let scored = try program.run(arguments)
        #expect(scored.status == 0, "\(scored.errors)")
        #expect(scored.output == "dialogue: 14 of 14 answers right\n")
        let lines = try program.run(arguments + ["--json"]).output.split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix(#"{"task": "dialogue", "index": 1, "right": [true, "#))
        let other = try program.run(arguments + ["--seed", "8"])
        #expect(other.status == 1 && other.errors.hasSuffix("line 1 is of seed 7, not of 8.\n"))
    }

    @Test func refusesSettings() throws {
        let facts = try program.run(["tasks", "generate", "--task", "recall", "--split", "test", "--facts", "3"])
        #expect(facts.status == 1 && facts.errors == "Error: The task setting 'questions' must lie in 1...3, and is 6...6.\n")
        let range = try program.run(["tasks", "generate", "--task", "recall", "--split", "test", "--facts", "9-3"])
        #expect(range.status == 2)
    }
}
