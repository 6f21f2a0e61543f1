import Crypto
import Foundation

extension RunDirectory {
    /// Writes `manifest.sha256`: one line `<hash>  <relative path>` per file of the run folder but itself, sorted by
    /// path, as `sha256sum -c manifest.sha256` (or `shasum -a 256 -c`) reads it from inside the folder.
    /// - Throws: ``ResultsError/cannotRead(path:reason:)``, ``ResultsError/cannotWrite(path:reason:)``.
    public func writeManifest() throws {
        let names: [String]
        do {
            names = try FileManager.default.subpathsOfDirectory(atPath: path)
        } catch {
            throw ResultsError.cannotRead(path: path, reason: error.localizedDescription)
        }
        var lines = ""
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            if name == Self.manifestName || Self.isFolder("\(path)/\(name)") { continue }
            lines += Self.manifestLine(hash: try Self.hash(ofFile: "\(path)/\(name)"), name: name)
        }
        try AtomicFile.replace("\(path)/\(Self.manifestName)", with: Array(lines.utf8))
    }

    /// A name with a backslash or a line break is escaped and its line marked with a backslash, as coreutils does.
    static func manifestLine(hash: String, name: String) -> String {
        let escaped = name.unicodeScalars.map {
            switch $0 {
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\r": "\\r"
            default: String($0)
            }
        }.joined()
        return "\(escaped == name ? "" : "\\")\(hash)  \(escaped)\n"
    }

    private static func hash(ofFile path: String) throws -> String {
        var hash = SHA256()
        try AtomicFile.readChunks(of: path) { hash.update(bufferPointer: $0) }
        return hex(hash.finalize())
    }

    /// SHA-256 of `bytes`, hex.
    public static func digest(of bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { String(UInt8($0) / 16, radix: 16) + String($0 % 16, radix: 16) }.joined()
    }
}
