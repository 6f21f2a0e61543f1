import Foundation

/// Where the files that come with kvlab are: `experiments/`, `datasets/`.
public struct ProjectFiles: Sendable {
    public let root: String

    public init(root: String) { self.root = root }

    /// The folder, from the current one or from the program's upwards, that holds `experiments/shapes`.
    /// - Throws: ``ExperimentsError/notFound(what:searched:)``.
    public static func locate(program: String = Bundle.main.executablePath ?? "") throws -> ProjectFiles {
        let starts = [FileManager.default.currentDirectoryPath, (program as NSString).deletingLastPathComponent]
        for start in starts {
            var folder = URL(fileURLWithPath: start).standardized.resolvingSymlinksInPath().path
            while !folder.isEmpty {
                if FileManager.default.fileExists(atPath: folder + "/experiments/shapes") {
                    return ProjectFiles(root: folder == "/" ? "" : folder)
                }
                if folder == "/" { break }
                folder = (folder as NSString).deletingLastPathComponent
            }
        }
        throw ExperimentsError.notFound(
            what: "the folder experiments/ that comes with kvlab",
            searched: "the current folder and the program's, and those above them")
    }

    public var experiments: String { root + "/experiments" }
    public var shapes: String { root + "/experiments/shapes" }
    public var publishedNumbers: String { root + "/datasets/paper" }

    /// The run that the project keeps.
    public var referenceResults: String { root + "/results/reference/results.h5" }

    /// Names of the files with `suffix` in a folder, without it, sorted.
    public func names(in folder: String, suffix: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
    }
}
