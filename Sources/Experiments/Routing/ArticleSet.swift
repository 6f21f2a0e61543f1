import Foundation
import Yams

/// An article and questions that it answers.
struct Article {
    let name: String
    let subject: String
    let text: String
    let questions: [String]
}

/// A folder of articles: `questions.yaml` lists each file with its subject and its questions.
enum ArticleSet {
    /// The articles in the order of `questions.yaml`.
    /// - Throws: ``ExperimentsError/cannotRead(file:reason:)`` or ``ExperimentsError/badYAML(file:line:problem:)``.
    static func read(_ folder: String) throws -> [Article] {
        let list = "\(folder)/questions.yaml"
        guard let yaml = try? String(contentsOfFile: list, encoding: .utf8) else {
            throw ExperimentsError.cannotRead(file: list, reason: "there is no such file, or it is not UTF-8 text")
        }
        guard let root = try? Yams.compose(yaml: yaml), let articles = root["articles"]?.sequence, !articles.isEmpty else {
            throw ExperimentsError.badYAML(file: list, line: 1, problem: "expected a list under 'articles'")
        }
        return try articles.map { node in
            let line = node.mark?.line ?? 0
            guard let file = node["file"]?.string, let subject = node["subject"]?.string,
                let questions = node["questions"]?.sequence?.map({ $0["question"]?.string }), !questions.isEmpty,
                !questions.contains(nil)
            else {
                throw ExperimentsError.badYAML(
                    file: list, line: line, problem: "an article needs 'file', 'subject' and 'questions', each with a 'question'")
            }
            // A name, not a path: nothing outside the folder is read.
            guard !file.contains("/"), let text = try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) else {
                throw ExperimentsError.cannotRead(
                    file: "\(folder)/\(file)", reason: "there is no such file in the folder, or it is not UTF-8 text")
            }
            return Article(name: file, subject: subject, text: text, questions: questions.compactMap(\.self))
        }
    }
}
