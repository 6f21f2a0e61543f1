import Foundation
import Models
import Text

/// Documents to measure with, as tokens of one model, without start tokens.
///
/// A file is one document, a folder one for each of its .md and .txt files, and a file of WikiText (`wiki.test.raw`) one for
/// each of its articles.
public struct QualityCorpus: Sendable {
    /// The file's or the folder's name.
    public let name: String
    public let path: String
    /// SHA-256 of the file; of a folder, that of its files' sums in the order of their names.
    public let digest: String
    public let documents: [[Int32]]

    /// - Throws: ``ExperimentsError/cannotRead(file:reason:)``, or a `TextError` for WikiText of the wrong edition.
    public init(path: String, tokenizer: Tokenizer) throws {
        let files = try QualityText.files(at: path).map { ($0, try QualityText.contents($0)) }
        let texts = files.map { String(decoding: $0.1, as: UTF8.self) }
        let sums = texts.map { Models.digest($0) }
        self.path = path
        name = (path as NSString).lastPathComponent
        digest = files.count == 1 && files[0].0 == path ? sums[0] : Models.digest(sums.joined(separator: "\n"))
        documents = try zip(files, texts).flatMap { file, text in
            try WikiText.isWikiText(text) ? WikiText.articles(text, file: file.0) : [text]
        }.map { tokenizer.encode($0, addSpecialTokens: false) }
    }
}
