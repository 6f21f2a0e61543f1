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
        let header = headerBytes(metadata: metadata, tensors: tensors)
        let expected = header.count + tensors.reduce(0) { $0 + $1.byteCount }
        return try WholeFile.write(to: path) { file in
            try header.withUnsafeBytes(file.put)
            try fill(file.put)
            precondition(file.written == expected, "wrote \(file.written) of \(expected) declared bytes")
        }
    }

    /// The length of the header and the header, padded with blanks to a multiple of 64 bytes.
    package static func headerBytes(metadata: [String: String], tensors: [Declaration]) -> Data {
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            entries.append(
                "\(quoted(tensor.name)):{\"data_offsets\":[\(offset),\(offset + tensor.byteCount)],"
                    + "\"dtype\":\(quoted(tensor.dtype.rawValue)),\"shape\":[\(shape)]}")
            offset += tensor.byteCount
        }
        var json = Data("{\(entries.joined(separator: ","))}".utf8)
        let padding = (64 - (json.count + 8) % 64) % 64
        json.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: padding))
        var out = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        out.append(json)
        return out
    }

    /// A JSON string (RFC 8259). Written here because a card's header is on the path to a first token, and most of the
    /// time that it took to make a small card went to Foundation's writer.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
