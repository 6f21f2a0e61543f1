/// A safetensors file, mapped read-only: a JSON header and tensors that are used in place.
///
/// - Source: https://github.com/huggingface/safetensors#format
public final class SafetensorsFile: Sendable {
    /// Where a tensor lies and what it is.
    public struct Entry: Sendable, Equatable {
        public let name: String
        public let dtype: DType
        public let shape: [Int]
        /// Byte range in the file.
        public let range: Range<Int>
    }

    public let file: MappedFile
    /// The header's `__metadata__`.
    public let metadata: [String: String]
    /// Tensors by name.
    public let entries: [String: Entry]
    /// Offset of the data section: what lies before it is the header.
    public let dataStart: Int

    /// Maps `path` and checks every entry of its header against the file's size; see ``SafetensorsHeader``.
    /// - Throws: ``TensorsError/cannotOpen(file:reason:)``, or ``TensorsError/malformed(file:offset:problem:)``.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        let header = try SafetensorsHeader(bytes: file.bytes, file: path)
        metadata = header.metadata
        entries = header.entries
        dataStart = header.dataStart
    }

    /// - Throws: ``TensorsError/missingTensor(file:tensor:)``.
    public func entry(_ name: String) throws -> Entry {
        guard let entry = entries[name] else {
            throw TensorsError.missingTensor(file: file.path, tensor: name)
        }
        return entry
    }

    /// The bytes of a tensor, in the file's own memory.
    public func bytes(of entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
    }
}
