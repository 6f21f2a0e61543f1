/// A GGUF file, mapped read-only: typed metadata, and tensors that are used in place.
///
/// - Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
public final class GGUFFile: Sendable {
    /// Where a tensor lies and what it is.
    public struct Tensor: Sendable, Equatable {
        public let name: String
        public let type: GGMLType
        /// The fastest dimension first: a matrix [rows, cols] has dimensions [cols, rows].
        public let dimensions: [Int]
        /// Byte range in the file.
        public let range: Range<Int>

        /// Elements of a row.
        public var cols: Int { dimensions[0] }
        /// Rows of all matrices of the tensor together.
        public var rows: Int { dimensions.dropFirst().reduce(1, *) }
    }

    public let file: MappedFile
    public let version: Int
    public let metadata: [String: GGUFValue]
    /// Tensors by name.
    public let tensors: [String: Tensor]
    /// Offset of the tensor data: what lies before it is the head.
    public let dataStart: Int

    /// Maps `path` and checks its head; see ``GGUFHeader``.
    /// - Throws: ``TensorsError/cannotOpen(file:reason:)``, ``TensorsError/malformed(file:offset:problem:)``, or
    ///   ``TensorsError/unsupported(file:what:)``.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        let header = try GGUFHeader(bytes: file.bytes, file: path)
        version = header.version
        metadata = header.metadata
        tensors = header.tensors
        dataStart = header.dataStart
    }

    /// - Throws: ``TensorsError/missingTensor(file:tensor:)``.
    public func tensor(_ name: String) throws -> Tensor {
        guard let tensor = tensors[name] else { throw TensorsError.missingTensor(file: file.path, tensor: name) }
        return tensor
    }

    /// The bytes of a tensor, in the file's own memory.
    public func bytes(of tensor: Tensor) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
    }
}
