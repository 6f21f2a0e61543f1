import Foundation

/// Which commit of a source tree is checked out, and whether files differ from it.
public struct GitState: Sendable, Equatable, CustomStringConvertible {
    /// 40 hex digits, or "unknown" where there is no git, no repository or no commit.
    public var commit: String
    /// Whether tracked files are changed or new ones lie beside them; false when the commit is unknown.
    public var dirty: Bool

    public init(commit: String, dirty: Bool) {
        self.commit = commit
        self.dirty = dirty
    }

    /// The commit, with "-dirty" behind it where files differ, as `git describe --dirty` puts it.
    public var description: String { commit + (dirty ? Self.dirtySuffix : "") }

    public static let dirtySuffix = "-dirty"

    public static let unknown = GitState(commit: "unknown", dirty: false)

    /// Asks `git` about `folder`.
    public static func read(at folder: String) -> GitState {
        guard let commit = git(["rev-parse", "--verify", "HEAD"], at: folder),
            let changes = git(["status", "--porcelain"], at: folder)
        else { return unknown }
        return GitState(
            commit: commit.trimmingCharacters(in: .whitespacesAndNewlines), dirty: !changes.isEmpty)
    }

    /// What git prints; nil when it is not there or refuses.
    private static func git(_ arguments: [String], at folder: String) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // Without optional locks, so that asking changes nothing in the repository.
        process.arguments = ["git", "--no-optional-locks", "-C", folder] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
