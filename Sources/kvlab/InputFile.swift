import Foundation
import Models

/// A file that the command line names, or a pipe.
enum InputFile {
    /// - Throws: ``ModelsError/cannotRead(file:reason:)``.
    static func bytes(_ path: String) throws -> Data {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ModelsError.cannotRead(file: path, reason: "there is no such file, or it may not be read")
        }
        do {
            return try file.readToEnd() ?? Data()
        } catch {
            throw ModelsError.cannotRead(file: path, reason: "it is a folder, or the disk has failed")
        }
    }
}
