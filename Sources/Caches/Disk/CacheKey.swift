import Crypto
import Foundation

/// The key that caches are encrypted with at rest: AES-256-GCM, a key of its own for each agent.
public struct CacheKey: Sendable {
    private let key: SymmetricKey
    /// The environment variable that ``fromEnvironment()`` reads.
    public static let variable = "KVLAB_CACHE_KEY"

    /// - Parameters:
    ///   - bytes: 32 bytes, or 64 hexadecimal digits with white space around them.
    ///   - source: where they come from, for the error.
    /// - Throws: ``CachesError/badKey(source:problem:)``.
    public init(_ bytes: [UInt8], source: String) throws {
        key = SymmetricKey(data: try Self.keyBytes(bytes, source: source))
    }

    /// The 32 bytes that `bytes` are or spell.
    /// - Throws: ``CachesError/badKey(source:problem:)``.
    static func keyBytes(_ bytes: [UInt8], source: String) throws -> [UInt8] {
        if bytes.count == 32 { return bytes }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count == 64, let digits = digits(text) else {
            throw CachesError.badKey(source: source, problem: "it has \(bytes.count) bytes")
        }
        return digits
    }

    /// Reads the key from a file.
    public init(file: String) throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CachesError.badKey(source: file, problem: "there is no such file, or it may not be read")
        }
        try self.init([UInt8](data), source: file)
    }

    /// The key in `KVLAB_CACHE_KEY`; nil where that is not set.
    public static func fromEnvironment() throws -> CacheKey? {
        guard let text = ProcessInfo.processInfo.environment[variable] else { return nil }
        return try CacheKey([UInt8](text.utf8), source: variable)
    }

    /// Bytes of hexadecimal digits; nil for anything else.
    static func digits(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The key of the files in the folder of one agent.
    func agentKey(id: String) -> SymmetricKey {
        derived("kvlab cache of agent \(id)")
    }

    /// A key for one use.
    func derived(_ use: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data(use.utf8), outputByteCount: 32)
    }
}
