import CKernels
import Tensors

/// What the matrices of an exported file are kept in.
public enum ExportType: String, Sendable, CaseIterable {
    case f32, f16, bf16, q8_0, q4_0

    /// The type in GGUF files.
    var ggml: GGMLType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        }
    }

    /// The type in safetensors files, which hold no blocks.
    var dtype: DType? {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0, .q4_0: nil
        }
    }

    /// `general.file_type` of GGUF files.
    /// - Source: `llama_ftype` in https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    var fileType: UInt32 {
        switch self {
        case .f32: 0
        case .f16: 1
        case .q4_0: 2
        case .q8_0: 7
        case .bf16: 32
        }
    }

    /// This type for rows of whole blocks, else 16-bit floats.
    func fitting(cols: Int) -> ExportType { cols % ggml.block.elements == 0 ? self : .f16 }

    /// Bytes of a row.
    func rowBytes(cols: Int) -> Int { cols / ggml.block.elements * ggml.block.bytes }

    /// The largest magnitude that it holds.
    var largestElement: Float {
        switch self {
        case .f32: .greatestFiniteMagnitude
        case .f16: 65504
        case .bf16: Float(bitPattern: 0x7f7f_0000)
        // Scales are 16-bit floats.
        case .q8_0: 65504 * 127
        case .q4_0: 65504 * 7
        }
    }

    /// `count` elements, whole blocks, as bytes.
    func encode(_ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutableRawPointer, isa: kl_isa) {
        switch self {
        case .f32: out.copyMemory(from: x, byteCount: count * 4)
        case .f16: kl_f32_to_half(isa, KL_F16, x, count, out.assumingMemoryBound(to: UInt16.self))
        case .bf16: kl_f32_to_half(isa, KL_BF16, x, count, out.assumingMemoryBound(to: UInt16.self))
        case .q8_0, .q4_0:
            kl_ggml_encode(
                isa, kl_ggml(rawValue: Int32(ggml.rawValue)), x, 1, count, count, out.assumingMemoryBound(to: UInt8.self))
        }
    }
}
