import Crypto
import Foundation
import Tensors

/// The plain bytes of a file: mapped where it is, or decrypted into memory.
final class FileImage: Sendable {
    let path: String
    private let mapped: MappedFile?
    private let memory: AlignedBuffer?

    /// - Parameter name: the file's name, which an encrypted file is bound to.
    /// - Throws: ``TensorsError/cannotOpen(file:reason:)``, ``CachesError/needsKey(file:)``,
    ///   ``CachesError/wrongKey(file:)`` or ``CachesError/damaged(file:what:)``.
    init(path: String, name: String, key: SymmetricKey?) throws {
        self.path = path
        let file = try MappedFile(path: path)
        let isSealed = file.bytes.starts(with: SealedChunks.magic)
        guard let key else {
            guard !isSealed else { throw CachesError.needsKey(file: path) }
            mapped = file
            memory = nil
            return
        }
        guard isSealed, let size = SealedChunks.plainSize(fileBytes: file.bytes.count) else {
            throw CachesError.damaged(file: path, what: "it is not in the encrypted form")
        }
        let buffer = try AlignedBuffer(byteCount: size)
        try SealedChunks.open(file.bytes, path: path, name: name, key: key, into: buffer.pointer)
        mapped = nil
        memory = buffer
    }

    var bytes: UnsafeRawBufferPointer {
        if let mapped { return mapped.bytes }
        return UnsafeRawBufferPointer(start: memory!.pointer, count: memory!.byteCount)
    }

    /// Asks the system to read the whole file ahead.
    func prefetch() { mapped?.prefetch() }

    /// Lets the pages of a mapped file go; they are read again when they are touched.
    func letGo() { mapped?.release(0..<mapped!.bytes.count) }
}
