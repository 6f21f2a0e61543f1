import CKernels

/// Bits of an element of a weight matrix in memory.
public enum WeightBits: Int, Sendable, CaseIterable {
    /// Affine codes, groups of 64, as MLX quantizes.
    case four = 4
    case eight = 8
    /// bfloat16 where the checkpoint has it, else IEEE half precision.
    case sixteen = 16
    case thirtyTwo = 32

    /// - Parameter half: type of 16-bit elements, or of scales and biases.
    func storage(half: kl_half) -> Linear.Storage {
        switch self {
        case .four: .affine4(half)
        case .eight: .affine8(half)
        case .sixteen: .dense(half == KL_F16 ? KL_DENSE_F16 : KL_DENSE_BF16)
        case .thirtyTwo: .dense(KL_DENSE_F32)
        }
    }
}
