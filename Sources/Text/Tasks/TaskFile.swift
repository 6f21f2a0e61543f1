import Foundation

/// A file of task documents, as `kvlab tasks generate` writes them: one JSON object a line.
public struct TaskFile: Sendable {
    public let documents: [TaskDocument]

    /// - Parameters:
    ///   - seed: refuse documents of another seed; nil: take any, as long as all are of one.
    /// - Throws: ``TextError/unreadable(file:reason:)``, or ``TextError/inconsistent(file:problem:)`` with the line.
    public init(path: String, seed: UInt64? = nil) throws(TextError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(file: path, reason: "there is no such file, or it may not be read")
        }
        var documents: [TaskDocument] = []
        for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let document = try? JSONDecoder().decode(TaskDocument.self, from: line) else {
                throw .inconsistent(file: path, problem: "line \(number + 1) is no task document")
            }
            let size = document.text.utf8.count
            var end = 0
            for answer in document.answers {
                guard answer.start >= end, answer.length > 0, answer.length <= size - answer.start else {
                    throw .inconsistent(
                        file: path,
                        problem: "line \(number + 1) has an answer at byte \(answer.start) that its text does not hold")
                }
                end = answer.start + answer.length
            }
            guard document.seed == seed ?? documents.first?.seed ?? document.seed else {
                throw .inconsistent(
                    file: path,
                    problem: "line \(number + 1) is of seed \(document.seed), not of \(seed ?? documents[0].seed)")
            }
            guard document.split == documents.first?.split ?? document.split else {
                throw .inconsistent(
                    file: path, problem: "line \(number + 1) is of the split \(document.split.rawValue), the first line is not")
            }
            documents.append(document)
        }
        guard !documents.isEmpty else { throw .inconsistent(file: path, problem: "there is no task document in it") }
        self.documents = documents
    }
}
