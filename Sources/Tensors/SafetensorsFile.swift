import Foundation

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

    /// Headers longer than this are refused, as the reference implementation does.
    static let maximumHeaderBytes = 100_000_000

    /// Maps `path` and checks every entry of its header against the file's size.
    /// - Throws: ``TensorsError/cannotOpen(file:reason:)``, or ``TensorsError/malformed(file:offset:problem:)``.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        let bytes = file.bytes
        func malformed(_ offset: Int, _ problem: String) -> TensorsError {
            .malformed(file: path, offset: offset, problem: problem)
        }
        guard bytes.count >= 8 else { throw malformed(0, "it is shorter than the 8 bytes of a header length") }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(min(Self.maximumHeaderBytes, bytes.count - 8)) else {
            throw malformed(0, "the header claims \(declared) bytes and the file holds \(bytes.count)")
        }
        let dataStart = 8 + Int(declared)
        let text = Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: bytes.baseAddress! + 8), count: Int(declared),
            deallocator: .none)
        guard let header = (try? JSONSerialization.jsonObject(with: text)) as? [String: Any] else {
            throw malformed(8, "the header is not a JSON object")
        }
        var metadata: [String: String] = [:]
        var entries: [String: Entry] = [:]
        entries.reserveCapacity(header.count)
        for (name, value) in header {
            if name == "__metadata__" {
                guard let strings = value as? [String: String] else {
                    throw malformed(8, "__metadata__ holds something that is not text")
                }
                metadata = strings
                continue
            }
            guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
                let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
                offsets.count == 2
            else { throw malformed(8, "the entry of tensor '\(name)' lacks dtype, shape or data_offsets") }
            guard let dtype = DType(rawValue: type) else {
                throw malformed(8, "tensor '\(name)' has the unknown dtype '\(type)'")
            }
            let available = bytes.count - dataStart
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= available else {
                throw malformed(
                    dataStart, "tensor '\(name)' lies at \(offsets[0])..<\(offsets[1]) of \(available) data bytes")
            }
            var size = dtype.size
            for dimension in shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
                guard dimension >= 0, !overflow else {
                    throw malformed(8, "tensor '\(name)' has the impossible shape \(shape)")
                }
                size = product
            }
            guard size == offsets[1] - offsets[0] else {
                throw malformed(
                    dataStart + offsets[0],
                    "tensor '\(name)' of shape \(shape) needs \(size) bytes and has \(offsets[1] - offsets[0])")
            }
            entries[name] = Entry(
                name: name, dtype: dtype, shape: shape, range: (dataStart + offsets[0])..<(dataStart + offsets[1]))
        }
        self.metadata = metadata
        self.entries = entries
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
