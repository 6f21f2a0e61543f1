import CKernels
import Tensors

/// What a cache can be exported as: always one safetensors file.
public enum ExportForm: String, Sendable, CaseIterable {
    /// The stored bytes, plane by plane, with all that must match: kvlab imports it again, bit for bit.
    case safetensors
    /// Rows as 32-bit floats, for any program.
    case decoded
    /// What `mlx_lm.models.cache.load_prompt_cache` opens (mlx-lm 0.32).
    case mlx
    /// A card for another agent; see ``CacheCard``.
    case card

    public var summary: String {
        switch self {
        case .safetensors: "stored bytes, which kvlab imports again"
        case .decoded: "rows as 32-bit floats, layers.N.keys and layers.N.values [1, heads, tokens, width]"
        case .mlx: "a prompt cache of mlx-lm 0.32"
        case .card: "a card to hand to another agent, all of the context or a part"
        }
    }
}

/// A cache as tensors of one file: what every export goes through.
struct ExportFile {
    let metadata: [String: String]
    /// What to write, in order.
    var tensors: [(name: String, dtype: DType, shape: [Int], write: (Sink) throws -> Void)] = []

    typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    mutating func add(_ name: String, _ dtype: DType, _ shape: [Int], write: @escaping (Sink) throws -> Void) {
        tensors.append((name, dtype, shape, write))
    }

    mutating func add(_ name: String, _ numbers: [Int32], shape: [Int]? = nil) {
        add(name, .i32, shape ?? [numbers.count]) { sink in try numbers.withUnsafeBytes(sink) }
    }

    /// Writes the file, with mode 0600.
    /// - Parameter checksum: name of a last tensor, U32 [1], for the CRC-32C of every byte before it; nil for none.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``; a file that was there before is whole then.
    func write(to path: String, checksum name: String? = nil) throws {
        var declarations = tensors.map { SafetensorsWriter.Declaration(name: $0.name, dtype: $0.dtype, shape: $0.shape) }
        if let name { declarations.append(.init(name: name, dtype: .u32, shape: [1])) }
        let header = [UInt8](SafetensorsWriter.headerBytes(metadata: metadata, tensors: declarations))
        var sum = header.withUnsafeBytes { kl_crc32c(0, $0.baseAddress!, $0.count) }
        try SafetensorsWriter.write(to: path, metadata: metadata, tensors: declarations) { write in
            for tensor in tensors {
                try tensor.write { bytes in
                    guard !bytes.isEmpty else { return }
                    sum = kl_crc32c(sum, bytes.baseAddress!, bytes.count)
                    try write(bytes)
                }
            }
            if name != nil { try withUnsafeBytes(of: sum.littleEndian, write) }
        }
    }
}
