/// A cursor over the head of a GGUF file. Nothing is allocated before it is known to lie inside the file.
struct GGUFReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    /// Offset of the next byte.
    private(set) var position: Int
    /// What is being read, for errors: "tensor 3".
    var subject = "the header"

    init(bytes: UnsafeRawBufferPointer, position: Int = 0, file: String) {
        self.bytes = bytes
        self.position = position
        self.file = file
    }

    func malformed(_ problem: String, at offset: Int? = nil) -> TensorsError {
        .malformed(file: file, offset: offset ?? position, problem: problem)
    }

    var remaining: Int { bytes.count - position }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws -> T {
        guard remaining >= MemoryLayout<T>.size else { throw malformed("the file ends inside \(subject)") }
        defer { position += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
    }

    /// A count of things that take at least `size` bytes each, at most `limit`.
    mutating func count(of what: String, size: Int, limit: Int = .max) throws -> Int {
        let start = position
        let count = try integer(UInt64.self)
        guard count <= UInt64(remaining / size), count <= UInt64(limit) else {
            throw malformed(
                "\(subject) claims \(count) \(what), more than the file can hold or anybody needs", at: start)
        }
        return Int(count)
    }

    mutating func text() throws -> String {
        let start = position
        let count = try count(of: "bytes of text", size: 1)
        guard let text = String(validating: bytes[position..<(position + count)], as: UTF8.self) else {
            throw malformed("the text of \(subject) is not UTF-8", at: start)
        }
        position += count
        return text
    }

    mutating func kind() throws -> GGUFValue.Kind {
        let start = position
        let number = try integer(UInt32.self)
        guard let kind = GGUFValue.Kind(rawValue: number) else {
            throw malformed("\(subject) has the unknown value type \(number)", at: start)
        }
        return kind
    }

    mutating func value(_ kind: GGUFValue.Kind) throws -> GGUFValue {
        switch kind {
        case .uint8: return .unsigned(UInt64(try integer(UInt8.self)))
        case .uint16: return .unsigned(UInt64(try integer(UInt16.self)))
        case .uint32: return .unsigned(UInt64(try integer(UInt32.self)))
        case .uint64: return .unsigned(try integer(UInt64.self))
        case .int8: return .signed(Int64(try integer(Int8.self)))
        case .int16: return .signed(Int64(try integer(Int16.self)))
        case .int32: return .signed(Int64(try integer(Int32.self)))
        case .int64: return .signed(try integer(Int64.self))
        case .float32: return .float(Float(bitPattern: try integer(UInt32.self)))
        case .float64: return .double(Double(bitPattern: try integer(UInt64.self)))
        case .bool:
            let byte = try integer(UInt8.self)
            guard byte <= 1 else { throw malformed("\(subject) is neither true nor false", at: position - 1) }
            return .bool(byte == 1)
        case .text: return .text(try text())
        case .list: return .list(try list())
        }
    }

    private mutating func list() throws -> GGUFValue.List {
        let kind = try kind()
        guard kind != .list else { throw malformed("\(subject) is a list of lists", at: position - 4) }
        let count = try count(of: "values", size: kind.size)
        let start = position
        if kind == .text {
            for _ in 0..<count { position += try self.count(of: "bytes of text", size: 1) }
        } else {
            position += count * kind.size
        }
        return GGUFValue.List(kind: kind, count: count, range: start..<position)
    }
}
