import Foundation
import Testing
import Text

struct TaskFileTests {
    private let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).jsonl"

    private func write(_ lines: [String]) throws {
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    private func line(_ task: TaskKind, seed: UInt64, split: TaskSplit = .test, index: Int = 0) throws -> String {
        let document = try TaskGenerator(task: task, split: split, seed: seed).document(index)
        return String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
    }

    @Test func readsWhatWasWritten() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write([line(.recall, seed: 3), line(.copy, seed: 3, index: 1)])
        let documents = try TaskFile(path: path, seed: 3).documents
        #expect(documents == [
            try TaskGenerator(task: .recall, split: .test, seed: 3).document(0),
            try TaskGenerator(task: .copy, split: .test, seed: 3).document(1),
        ])
    }

    @Test func refusesOtherSeedsAndDamage() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        func problem(_ lines: [String], seed: UInt64? = nil) throws -> String {
            try write(lines)
            do {
                _ = try TaskFile(path: path, seed: seed)
                return "no error"
            } catch { return "\(error)".replacingOccurrences(of: path, with: "FILE") }
        }
        let good = try line(.recall, seed: 3)
        #expect(try problem([good], seed: 4) == "'FILE': line 1 is of seed 3, not of 4.")
        #expect(try problem([good, line(.recall, seed: 5)]) == "'FILE': line 2 is of seed 5, not of 3.")
        #expect(
            try problem([good, line(.recall, seed: 3, split: .train)])
                == "'FILE': line 2 is of the split train, the first line is not.")
        #expect(try problem([good, "{}"]) == "'FILE': line 2 is no task document.")
        #expect(try problem([]) == "'FILE': there is no task document in it.")
        let short = good.replacingOccurrences(of: #""length":4"#, with: #""length":4000000"#)
        #expect(try problem([short]).contains("that its text does not hold"))
        try? FileManager.default.removeItem(atPath: path)
        #expect(throws: TextError.unreadable(file: path, reason: "there is no such file, or it may not be read")) {
            try TaskFile(path: path)
        }
    }
}
