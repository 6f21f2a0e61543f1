/// The folder that a file or folder lies in: "." for a bare name, "/" for "/name".
///
/// Foundation's `deletingLastPathComponent` ends the program for names of one character on Linux.
public func parentFolder(of path: String) -> String {
    var parts = Substring(path)
    while parts.count > 1, parts.last == "/" { parts.removeLast() }
    guard let slash = parts.lastIndex(of: "/") else { return "." }
    var folder = parts[..<slash]
    while folder.last == "/" { folder.removeLast() }
    return folder.isEmpty ? "/" : String(folder)
}
