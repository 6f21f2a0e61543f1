import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a safetensors file tensor by tensor, so that it is never there half: a temporary name first, then
/// fsync, rename, and fsync of the folder. The data section starts at a multiple of 64 bytes.
public struct SafetensorsWriter {
    /// A tensor to come: its bytes follow in the order of declaration.
    public struct Declaration: Sendable {
        public let name: String
        public let dtype: DType
        public let shape: [Int]
        public var byteCount: Int { shape.reduce(dtype.size, *) }

        public init(name: String, dtype: DType, shape: [Int]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }
    }

    /// Writes `tensors` to `path` with mode 0600; `fill` is called once and must write exactly the declared bytes.
    /// - Returns: the size of the file.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``; the old file, if any, is whole then.
    @discardableResult
    public static func write(
        to path: String, metadata: [String: String], tensors: [Declaration],
        fill: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> Int {
        let header = try headerBytes(metadata: metadata, tensors: tensors)
        let temporary = path + ".part-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
        var written = 0
        func put(_ bytes: UnsafeRawBufferPointer) throws {
            var rest = bytes
            while !rest.isEmpty {
                let count = Glue.write(descriptor, rest.baseAddress!, min(rest.count, 1 << 30))
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            written += bytes.count
        }
        do {
            try header.withUnsafeBytes(put)
            try fill(put)
            let expected = header.count + tensors.reduce(0) { $0 + $1.byteCount }
            precondition(written == expected, "wrote \(written) of \(expected) declared bytes")
            guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, path) == 0 else {
                throw TensorsError.cannotWrite(file: path, reason: TensorsError.system())
            }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        try syncFolder(of: path)
        return written
    }

    /// The length of the header and the header, padded with blanks to a multiple of 64 bytes.
    package static func headerBytes(metadata: [String: String], tensors: [Declaration]) throws -> Data {
        var object: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var offset = 0
        for tensor in tensors {
            object[tensor.name] = [
                "dtype": tensor.dtype.rawValue, "shape": tensor.shape,
                "data_offsets": [offset, offset + tensor.byteCount],
            ]
            offset += tensor.byteCount
        }
        var json = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        let padding = (64 - (json.count + 8) % 64) % 64
        json.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: padding))
        var out = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        out.append(json)
        return out
    }

    private static func syncFolder(of path: String) throws {
        let descriptor = open(parentFolder(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TensorsError.cannotWrite(file: path, reason: TensorsError.system()) }
        fsync(descriptor)
        close(descriptor)
    }
}

/// The system's `write`, which the writer's own name hides.
private enum Glue {
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Darwin)
            Darwin.write(descriptor, bytes, count)
        #else
            Musl.write(descriptor, bytes, count)
        #endif
    }
}
