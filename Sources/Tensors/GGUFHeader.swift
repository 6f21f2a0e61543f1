/// The head of a GGUF file, checked: metadata, and tensors that follow each other as ggml's own reader wants them.
///
/// Refuses versions other than 2 and 3, big-endian files, duplicate keys and tensors, more than 4 dimensions, types
/// without a block size, offsets that are not where the tensor before it ends (padded to the alignment), and data that
/// the file does not hold.
/// - Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
package struct GGUFHeader {
    package var metadata: [String: GGUFValue] = [:]
    package var tensors: [String: GGUFFile.Tensor] = [:]
    package let version: Int
    /// Offset of the tensor data.
    package private(set) var dataStart = 0

    package static let maximumKeys = 65_536
    package static let maximumTensors = 98_304

    private let file: String
    private let fileBytes: Int

    /// - Parameter bytes: the whole file.
    /// - Throws: ``TensorsError/malformed(file:offset:problem:)``, ``TensorsError/unsupported(file:what:)``.
    package init(bytes: UnsafeRawBufferPointer, file: String) throws {
        self.file = file
        fileBytes = bytes.count
        var reader = GGUFReader(bytes: bytes, file: file)
        guard try reader.integer(UInt32.self) == 0x4655_4747 else {
            throw reader.malformed("it does not start with 'GGUF'", at: 0)
        }
        version = try Self.version(&reader, file: file)
        let tensorCount = try reader.count(of: "tensors", size: 33, limit: Self.maximumTensors)
        let keyCount = try reader.count(of: "keys", size: 13, limit: Self.maximumKeys)
        for index in 0..<keyCount {
            reader.subject = "key \(index)"
            let key = try reader.text()
            reader.subject = "key '\(key)'"
            let kind = try reader.kind()
            guard metadata.updateValue(try reader.value(kind), forKey: key) == nil else {
                throw reader.malformed("key '\(key)' comes twice")
            }
        }
        try readTensors(tensorCount, &reader)
    }

    private static func version(_ reader: inout GGUFReader, file: String) throws -> Int {
        let version = try reader.integer(UInt32.self)
        switch version {
        case 2, 3: return Int(version)
        case _ where version & 0xffff == 0 && version != 0:
            throw TensorsError.unsupported(
                file: file, what: "a big-endian GGUF file (version \(version.byteSwapped)); convert it to little-endian"
            )
        default:
            throw TensorsError.unsupported(file: file, what: "GGUF version \(version); versions 2 and 3 are")
        }
    }

    private func alignment(_ reader: GGUFReader) throws -> Int {
        switch metadata["general.alignment"] {
        case nil: return 32
        case .unsigned(let value)? where value.nonzeroBitCount == 1 && value <= 1 << 20: return Int(value)
        default: throw reader.malformed("general.alignment is not a power of two of at most 1 MiB")
        }
    }

    private mutating func readTensors(_ count: Int, _ reader: inout GGUFReader) throws {
        let alignment = try alignment(reader)
        // Names in the order of the file, and where each is declared.
        var declared: [(tensor: GGUFFile.Tensor, offset: Int)] = []
        var end = 0
        for index in 0..<count {
            reader.subject = "tensor \(index)"
            let name = try reader.text()
            reader.subject = "tensor '\(name)'"
            let start = reader.position
            let tensor = try tensor(named: name, &reader, expected: end)
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw reader.malformed("tensor '\(name)' comes twice", at: start)
            }
            declared.append((tensor, start))
            end = (tensor.range.upperBound + alignment - 1) / alignment * alignment
        }
        dataStart = (reader.position + alignment - 1) / alignment * alignment
        for (tensor, offset) in declared {
            let range = (tensor.range.lowerBound + dataStart)..<(tensor.range.upperBound + dataStart)
            guard range.upperBound <= fileBytes else {
                throw reader.malformed(
                    "tensor '\(tensor.name)' lies at bytes \(range) and the file has \(fileBytes)", at: offset)
            }
            tensors[tensor.name] = GGUFFile.Tensor(
                name: tensor.name, type: tensor.type, dimensions: tensor.dimensions, range: range)
        }
    }

    /// A tensor whose range still counts from the start of the data.
    private func tensor(named name: String, _ reader: inout GGUFReader, expected: Int) throws -> GGUFFile.Tensor {
        let start = reader.position
        let rank = try reader.integer(UInt32.self)
        guard (1...4).contains(rank) else {
            throw reader.malformed("tensor '\(name)' has \(rank) dimensions, not 1 to 4", at: start)
        }
        let dimensions = try (0..<rank).map { _ in try reader.integer(UInt64.self) }
        let number = try reader.integer(UInt32.self)
        guard let type = GGMLType(rawValue: number) else {
            throw reader.malformed("tensor '\(name)' has the unknown type \(number)", at: reader.position - 4)
        }
        var elements: UInt64 = 1
        for dimension in dimensions {
            let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
            guard !overflow, dimension > 0, product <= UInt64(1) << 48 else {
                throw reader.malformed("tensor '\(name)' has the impossible dimensions \(dimensions)", at: start)
            }
            elements = product
        }
        guard dimensions[0] % UInt64(type.block.elements) == 0 else {
            throw reader.malformed(
                "tensor '\(name)' has rows of \(dimensions[0]) elements, not whole blocks of \(type.name)", at: start)
        }
        let bytes = Int(elements) / type.block.elements * type.block.bytes
        let offset = try reader.integer(UInt64.self)
        guard offset == UInt64(expected) else {
            throw reader.malformed(
                "tensor '\(name)' starts at \(offset) of the data, and the tensors before it end at \(expected)",
                at: reader.position - 8)
        }
        guard offset <= UInt64(fileBytes) else {
            throw reader.malformed(
                "tensor '\(name)' starts at \(offset) of the data, and the file ends at \(fileBytes)",
                at: reader.position - 8)
        }
        return GGUFFile.Tensor(
            name: name, type: type, dimensions: dimensions.map(Int.init), range: expected..<(expected + bytes))
    }
}
