import Crypto
import Foundation

/// The form of an encrypted file: `magic`, then chunks of 1 MiB of plain bytes, each as nonce (12), ciphertext, tag (16).
///
/// What a chunk is bound to: the file's name, the chunk's index, and whether it is the last. So chunks cannot be moved,
/// left out, or carried to another file. The last chunk is the only one that may be shorter; it may be empty.
enum SealedChunks {
    static let magic = Array("kvlab-sealed-1\n\0".utf8)
    static let plainBytes = 1 << 20
    static let overhead = 12 + 16

    static func seal(
        _ plain: UnsafeRawBufferPointer, name: String, index: Int, isLast: Bool, key: SymmetricKey
    ) throws -> Data {
        let box = try AES.GCM.seal(Data(plain), using: key, authenticating: binding(name, index, isLast))
        return box.combined!
    }

    /// Size of the plain bytes of a file of `fileBytes` bytes; nil when no file has that size.
    static func plainSize(fileBytes: Int) -> Int? {
        let body = fileBytes - magic.count
        guard body >= overhead else { return nil }
        let whole = (body - overhead) / (plainBytes + overhead)
        let last = body - whole * (plainBytes + overhead) - overhead
        return last < plainBytes ? whole * plainBytes + last : nil
    }

    /// Decrypts a whole file into `out`, which has ``plainSize(fileBytes:)`` bytes.
    /// - Throws: ``CachesError/wrongKey(file:)``.
    static func open(
        _ file: UnsafeRawBufferPointer, path: String, name: String, key: SymmetricKey, into out: UnsafeMutableRawPointer
    ) throws {
        var rest = file.dropFirst(magic.count)
        var index = 0
        var out = out
        while !rest.isEmpty {
            let chunk = rest.prefix(plainBytes + overhead)
            rest = rest.dropFirst(chunk.count)
            do {
                let box = try AES.GCM.SealedBox(combined: Data(chunk))
                let plain = try AES.GCM.open(box, using: key, authenticating: binding(name, index, rest.isEmpty))
                plain.withUnsafeBytes { if !$0.isEmpty { out.copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
                out += plain.count
            } catch { throw CachesError.wrongKey(file: path) }
            index += 1
        }
    }

    private static func binding(_ name: String, _ index: Int, _ isLast: Bool) -> Data {
        Data("\(name) \(index) \(isLast ? "last" : "more")".utf8)
    }
}
