import CKernels

/// Element types of tensors in GGUF files.
///
/// - Source: `ggml_type` in https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; block sizes from the `gguf`
///   Python package, `GGML_QUANT_SIZES`.
public enum GGMLType: UInt32, Sendable, CaseIterable {
    case f32 = 0, f16, q4_0, q4_1
    case q5_0 = 6, q5_1, q8_0, q8_1
    case q2_K = 10, q3_K, q4_K, q5_K, q6_K, q8_K
    case iq2_xxs = 16, iq2_xs, iq3_xxs, iq1_s, iq4_nl, iq3_s, iq2_s, iq4_xs
    case i8 = 24, i16, i32, i64, f64
    case iq1_m = 29, bf16
    case tq1_0 = 34, tq2_0
    case mxfp4 = 39

    /// As llama.cpp writes it: "Q4_K".
    public var name: String { String(describing: self).uppercased() }

    /// Elements of a block, and its bytes. Rows are whole blocks.
    public var block: (elements: Int, bytes: Int) {
        switch self {
        case .f32, .i32: (1, 4)
        case .f16, .bf16, .i16: (1, 2)
        case .i8: (1, 1)
        case .i64, .f64: (1, 8)
        case .q4_0, .iq4_nl: (32, 18)
        case .q4_1: (32, 20)
        case .q5_0: (32, 22)
        case .q5_1: (32, 24)
        case .q8_0: (32, 34)
        case .q8_1: (32, 40)
        case .q2_K: (256, 84)
        case .q3_K, .iq3_s: (256, 110)
        case .q4_K: (256, 144)
        case .q5_K: (256, 176)
        case .q6_K: (256, 210)
        case .q8_K: (256, 292)
        case .iq2_xxs, .tq2_0: (256, 66)
        case .iq2_xs: (256, 74)
        case .iq3_xxs: (256, 98)
        case .iq1_s: (256, 50)
        case .iq2_s: (256, 82)
        case .iq4_xs: (256, 136)
        case .iq1_m: (256, 56)
        case .tq1_0: (256, 54)
        case .mxfp4: (32, 17)
        }
    }

    /// Types that ``dequantize(_:count:into:)`` reads.
    public static let readable: [GGMLType] = [
        .f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl, .q4_K, .q5_K, .q6_K,
    ]

    /// Is an element more than a float of its own?
    public var isQuantized: Bool { block.elements > 1 }

    /// `count` elements, whole blocks, as floats. Equal bit for bit to `gguf.quants.dequantize`, held by
    /// `GGMLTypeTests`.
    /// - Precondition: the type is one of ``readable``.
    public func dequantize(_ bytes: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>) {
        precondition(Self.readable.contains(self) && count % block.elements == 0)
        kl_ggml_dequantize(kl_ggml(rawValue: Int32(rawValue)), bytes, count, out)
    }
}
