/// Writes a GGUF file of version 3 tensor by tensor, so that it is never there half; see `WholeFile`.
///
/// - Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
public struct GGUFWriter {
    /// A value of a metadata key, of the type that the file says.
    public enum Value: Sendable, Equatable {
        case uint32(UInt32)
        case float32(Float)
        case bool(Bool)
        case text(String)
        case texts([String])
        case int32s([Int32])
        case float32s([Float])
        case bools([Bool])
    }

    /// A tensor to come: its bytes follow in the order of declaration.
    public struct Declaration: Sendable, Equatable {
        public let name: String
        public let type: GGMLType
        /// The fastest dimension first: a matrix [rows, cols] has dimensions [cols, rows].
        public let dimensions: [Int]

        /// - Precondition: rows are whole blocks of `type`.
        public init(name: String, type: GGMLType, dimensions: [Int]) {
            precondition((1...4).contains(dimensions.count) && dimensions[0] % type.block.elements == 0)
            self.name = name
            self.type = type
            self.dimensions = dimensions
        }

        public var byteCount: Int { dimensions.reduce(1, *) / type.block.elements * type.block.bytes }
    }

    /// Tensors start at multiples of this, which is what files mean that do not say `general.alignment`.
    static let alignment = 32

    /// Writes `metadata` and `tensors` to `path` with mode 0600; `fill` is called once for each tensor, in order, and
    /// must write exactly its bytes.
    /// - Returns: the size of the file.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``, or what `fill` throws; the old file, if any, is whole then.
    @discardableResult
    public static func write(
        to path: String, metadata: [(key: String, value: Value)], tensors: [Declaration],
        fill: (_ tensor: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> Int {
        precondition(Set(metadata.map(\.key)).count == metadata.count, "a key comes twice")
        precondition(Set(tensors.map(\.name)).count == tensors.count, "a tensor comes twice")
        var head = GGUFHead()
        head.put(UInt32(0x4655_4747))
        head.put(UInt32(3))
        head.put(UInt64(tensors.count))
        head.put(UInt64(metadata.count))
        for (key, value) in metadata { head.put(key, value) }
        var offset = 0
        for tensor in tensors {
            head.put(tensor.name)
            head.put(UInt32(tensor.dimensions.count))
            for dimension in tensor.dimensions { head.put(UInt64(dimension)) }
            head.put(tensor.type.rawValue)
            head.put(UInt64(offset))
            offset += tensor.byteCount + padding(tensor.byteCount)
        }
        head.bytes += [UInt8](repeating: 0, count: padding(head.bytes.count))
        let zeros = [UInt8](repeating: 0, count: alignment)
        return try WholeFile.write(to: path) { file in
            try head.bytes.withUnsafeBytes(file.put)
            for (index, tensor) in tensors.enumerated() {
                let start = file.written
                try fill(index, file.put)
                let written = file.written - start
                precondition(written == tensor.byteCount, "\(tensor.name): wrote \(written) of \(tensor.byteCount) bytes")
                try zeros.withUnsafeBytes { try file.put(UnsafeRawBufferPointer(rebasing: $0[..<padding(written)])) }
            }
        }
    }

    private static func padding(_ count: Int) -> Int { (alignment - count % alignment) % alignment }
}

/// The bytes before the tensors.
private struct GGUFHead {
    var bytes: [UInt8] = []

    mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func put(_ key: String, _ value: GGUFWriter.Value) {
        put(key)
        switch value {
        case .uint32(let number):
            put(GGUFValue.Kind.uint32.rawValue)
            put(number)
        case .float32(let number):
            put(GGUFValue.Kind.float32.rawValue)
            put(number.bitPattern)
        case .bool(let flag):
            put(GGUFValue.Kind.bool.rawValue)
            put(UInt8(flag ? 1 : 0))
        case .text(let text):
            put(GGUFValue.Kind.text.rawValue)
            put(text)
        case .texts(let texts): list(.text, texts) { $0.put($1) }
        case .int32s(let numbers): list(.int32, numbers) { $0.put($1) }
        case .float32s(let numbers): list(.float32, numbers) { $0.put($1.bitPattern) }
        case .bools(let flags): list(.bool, flags) { $0.put(UInt8($1 ? 1 : 0)) }
        }
    }

    private mutating func list<T>(_ kind: GGUFValue.Kind, _ values: [T], _ put: (inout GGUFHead, T) -> Void) {
        self.put(GGUFValue.Kind.list.rawValue)
        self.put(kind.rawValue)
        self.put(UInt64(values.count))
        for value in values { put(&self, value) }
    }
}
