import Foundation

/// Writes a safetensors file tensor by tensor, so that it is never there half; see `WholeFile`. The data section starts
/// at a multiple of 64 bytes.
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
        let expected = header.count + tensors.reduce(0) { $0 + $1.byteCount }
        return try WholeFile.write(to: path) { file in
            try header.withUnsafeBytes(file.put)
            try fill(file.put)
            precondition(file.written == expected, "wrote \(file.written) of \(expected) declared bytes")
        }
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
}
