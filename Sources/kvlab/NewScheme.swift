import Foundation

/// Adds a cache scheme to a checkout: a copy of the plainest one there is, under a name of its own, with the three lines that
/// make it known and tested. What is then written is the user's.
struct NewScheme {
    /// Why no scheme was added, as one sentence.
    struct Problem: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// What is copied.
    private static let model = (name: "absmax-4", type: "AbsmaxScheme")

    let name: String
    private let root: String

    /// - Throws: ``Problem`` for a name that cannot be, or is taken.
    init(name: String, root: String, taken: [String]) throws {
        guard name.wholeMatch(of: /[a-z][a-z0-9]*([-_][a-z0-9]+)*/) != nil, name.count <= 40 else {
            throw Problem("A scheme's name is made of small letters, digits and single '-' or '_', such as 'my-scheme-2'; this is '\(name)'.")
        }
        guard !taken.contains(name) else { throw Problem("There is a scheme named '\(name)' already; see kvlab schemes.") }
        self.name = name
        self.root = root
    }

    /// `my-scheme-2` becomes `MyScheme2Scheme`.
    var type: String {
        name.split(whereSeparator: { "-_".contains($0) }).map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Scheme"
    }

    var source: String { "Sources/Schemes/\(type).swift" }

    /// Files in which a line is copied.
    private static let lists = ["Sources/Schemes/SchemeRegistry.swift", "Tests/SchemesTests/SchemeBounds.swift", "docs/schemes.md"]

    /// Writes all four files, or none when something is in the way.
    /// - Returns: the files, from the checkout's folder, each with what was done.
    /// - Throws: ``Problem``.
    func write() throws -> [(file: String, what: String)] {
        let template = try read("Sources/Schemes/\(Self.model.type).swift")
        guard !FileManager.default.fileExists(atPath: "\(root)/\(source)") else {
            throw Problem("There is a file \(source) already; take another name.")
        }
        var changes = [(source, renamed(template), "written; the scheme is yours from here")]
        for (file, what) in zip(Self.lists, ["registered", "its bound: how far off a value may be", "its bytes"]) {
            let (text, line) = try withCopiedLine(try read(file), file)
            changes.append((file, text, "line \(line): \(what)"))
        }
        for (file, text, _) in changes {
            do {
                try Data(text.utf8).write(to: URL(filePath: "\(root)/\(file)"), options: .atomic)
            } catch {
                throw Problem("Cannot write \(file): \(error.localizedDescription)")
            }
        }
        return changes.map { ($0.0, $0.2) }
    }

    private func read(_ file: String) throws -> String {
        do {
            return try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
        } catch {
            throw Problem("\(file) cannot be read: a new scheme is written into a checkout of kvlab's sources, and this is \(root).")
        }
    }

    private func renamed(_ text: String) -> String {
        text.replacing(Self.model.type, with: type).replacing(Self.model.name, with: name)
    }

    /// The one line of `text` that is about the model, copied behind the last of its list.
    private func withCopiedLine(_ text: String, _ file: String) throws -> (text: String, line: Int) {
        var lines = text.components(separatedBy: "\n")
        let indent = { (line: String) in line.prefix { $0 == " " } }
        guard
            let index = lines.firstIndex(where: {
                $0.contains("[\(Self.model.type)()]") || $0.contains("\"\(Self.model.name)\":") || $0.hasPrefix("| `\(Self.model.name)` | ")
                    && $0.filter { $0 == "|" }.count == 8
            })
        else { throw Problem("\(file) has no line for \(Self.model.name) to copy.") }
        var last = index
        if lines[index].hasPrefix("|") {
            while last + 1 < lines.count, lines[last + 1].hasPrefix("|") { last += 1 }
        } else {
            // Up to the bracket that closes the list.
            while last + 1 < lines.count, indent(lines[last + 1]).count >= indent(lines[index]).count { last += 1 }
        }
        lines.insert(renamed(lines[index]), at: last + 1)
        return (lines.joined(separator: "\n"), last + 2)
    }
}
