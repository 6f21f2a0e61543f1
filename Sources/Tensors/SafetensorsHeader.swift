/// The header of a safetensors file, checked: every byte of the data section belongs to exactly one tensor.
///
/// Refuses what the reference implementation refuses (holes, overlaps, a data section of another size, shapes that do
/// not fit their bytes, unknown dtypes, headers of more than 100 MB) and also duplicate names, unknown fields, more
/// than ``maximumTensors`` tensors and more than ``maximumRank`` dimensions.
/// - Source: https://github.com/huggingface/safetensors#format, `safetensors/src/tensor.rs`.
package struct SafetensorsHeader {
    package var metadata: [String: String] = [:]
    package var entries: [String: SafetensorsFile.Entry] = [:]
    /// Offset of the data section.
    package let dataStart: Int

    package static let maximumBytes = 100_000_000
    /// Many times what files of published models have, and what 64 MiB of memory hold at most.
    package static let maximumTensors = 98_304
    package static let maximumRank = 16

    private let file: String
    private let fileBytes: Int

    /// - Parameter bytes: the whole file.
    /// - Throws: ``TensorsError/malformed(file:offset:problem:)``.
    package init(bytes: UnsafeRawBufferPointer, file: String) throws {
        self.file = file
        fileBytes = bytes.count
        guard bytes.count >= 8 else {
            throw TensorsError.malformed(
                file: file, offset: 0, problem: "it is shorter than the 8 bytes of a header length")
        }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(min(Self.maximumBytes, bytes.count - 8)) else {
            throw TensorsError.malformed(
                file: file, offset: 0, problem: "the header claims \(declared) bytes and the file holds \(bytes.count)")
        }
        dataStart = 8 + Int(declared)
        var json = SafetensorsJSON(
            bytes: UnsafeRawBufferPointer(rebasing: bytes[..<dataStart]), start: 8, file: file)
        var hasMetadata = false
        try json.object { json, name in
            if name == "__metadata__" {
                guard !hasMetadata else { throw json.malformed("__metadata__ comes twice") }
                hasMetadata = true
                metadata = try Self.metadata(&json)
            } else {
                let entry = try entry(name, &json)
                guard entries.updateValue(entry, forKey: name) == nil else {
                    throw json.malformed("tensor '\(name)' comes twice")
                }
                guard entries.count <= Self.maximumTensors else {
                    throw json.malformed("it has more than \(Self.maximumTensors) tensors")
                }
            }
        }
        try json.end()
        try checkCoverage()
    }

    private static func metadata(_ json: inout SafetensorsJSON) throws -> [String: String] {
        var metadata: [String: String] = [:]
        try json.object { json, key in
            let text = try json.text()
            guard metadata.updateValue(text, forKey: key) == nil, metadata.count <= maximumTensors else {
                throw json.malformed("__metadata__ has '\(key)' twice, or too many keys")
            }
        }
        return metadata
    }

    private func entry(_ name: String, _ json: inout SafetensorsJSON) throws -> SafetensorsFile.Entry {
        var dtype: DType?
        var shape: [Int]?
        var offsets: [Int]?
        try json.object { json, field in
            func numbers(atMost count: Int) throws -> [Int] {
                var numbers: [Int] = []
                try json.list {
                    numbers.append(try $0.wholeNumber())
                    guard numbers.count <= count else {
                        throw $0.malformed("'\(field)' of tensor '\(name)' has more than \(count) numbers")
                    }
                }
                return numbers
            }
            switch field {
            case "dtype" where dtype == nil:
                let text = try json.text()
                guard let known = DType(rawValue: text) else {
                    throw json.malformed("tensor '\(name)' has the unknown dtype '\(text)'")
                }
                dtype = known
            case "shape" where shape == nil: shape = try numbers(atMost: Self.maximumRank)
            case "data_offsets" where offsets == nil: offsets = try numbers(atMost: 2)
            default: throw json.malformed("tensor '\(name)' has the field '\(field)' twice, or it is unknown")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw json.malformed("the entry of tensor '\(name)' lacks dtype, shape or data_offsets")
        }
        let available = fileBytes - dataStart
        guard offsets[0] <= offsets[1], offsets[1] <= available else {
            throw json.malformed("tensor '\(name)' lies at \(offsets[0])..<\(offsets[1]) of \(available) data bytes")
        }
        var size = dtype.size
        for dimension in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw json.malformed("tensor '\(name)' has the impossible shape \(shape)") }
            size = product
        }
        guard size == offsets[1] - offsets[0] else {
            throw json.malformed(
                "tensor '\(name)' of shape \(shape) needs \(size) bytes and has \(offsets[1] - offsets[0])")
        }
        return SafetensorsFile.Entry(
            name: name, dtype: dtype, shape: shape, range: (dataStart + offsets[0])..<(dataStart + offsets[1]))
    }

    /// Tensors follow each other without holes or overlaps, to the end of the file.
    private func checkCoverage() throws {
        var next = dataStart
        for entry in entries.values.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard entry.range.lowerBound == next else {
                let what = entry.range.lowerBound < next ? "overlaps another tensor" : "follows a hole"
                throw TensorsError.malformed(
                    file: file, offset: entry.range.lowerBound,
                    problem: "tensor '\(entry.name)' \(what); the tensors before it end at byte \(next)")
            }
            next = entry.range.upperBound
        }
        guard next == fileBytes else {
            throw TensorsError.malformed(
                file: file, offset: next, problem: "the tensors end here and the file has \(fileBytes) bytes")
        }
    }
}
