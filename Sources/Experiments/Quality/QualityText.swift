import Engine
import Foundation
import Models
import Text

/// A text to measure with, as tokens of one model.
public struct QualityText: Sendable {
    /// The file's name.
    public let name: String
    public let tokens: [Int32]
    /// SHA-256 of the file, UTF-8.
    public let digest: String

    /// The texts of a file, or of every .md and .txt file of a folder in the order of their names, README.md left out.
    /// - Throws: ``ExperimentsError/cannotRead(file:reason:)``, or ``ExperimentsError/shortText(file:tokens:window:)``.
    public static func read(_ path: String, tokenizer: Tokenizer, atLeast window: Int) throws -> [QualityText] {
        return try files(at: path).map { path in
            let bytes = try contents(path)
            let tokens = tokenizer.encode(bytes: bytes)
            guard tokens.count >= window else {
                throw ExperimentsError.shortText(file: path, tokens: tokens.count, window: window)
            }
            return QualityText(
                name: (path as NSString).lastPathComponent, tokens: tokens,
                digest: Models.digest(String(decoding: bytes, as: UTF8.self)))
        }
    }

    /// A file, or every .md and .txt file of a folder in the order of their names, README.md left out.
    /// - Throws: ``ExperimentsError/cannotRead(file:reason:)``.
    static func files(at path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ExperimentsError.cannotRead(file: path, reason: "there is no such file or folder")
        }
        guard isFolder.boolValue else { return [path] }
        let paths = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            .filter { ($0.hasSuffix(".md") || $0.hasSuffix(".txt")) && $0 != "README.md" }.map { "\(path)/\($0)" }
        guard !paths.isEmpty else {
            throw ExperimentsError.cannotRead(file: path, reason: "the folder holds no .md or .txt file")
        }
        return paths
    }

    static func contents(_ path: String) throws -> Data {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ExperimentsError.cannotRead(file: path, reason: "it may not be read")
        }
        return bytes
    }
}
