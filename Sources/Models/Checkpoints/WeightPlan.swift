import CKernels
import Tensors

/// How the matrices of a checkpoint are kept in memory, and what that is called.
struct WeightPlan {
    /// nil: each as its file has it.
    private let bits: WeightBits?
    /// Type of 16-bit elements, and of scales and biases of what is quantized here.
    private let half: kl_half
    private let matrices: [MatrixFacts]
    private let format: Checkpoint.Format

    /// - Parameter bits: nil, or the bits that an MLX checkpoint has anyhow: nothing is changed.
    init(format: Checkpoint.Format, matrices: [MatrixFacts], bits: WeightBits?) {
        self.format = format
        self.matrices = matrices
        let affine = Self.byBytes(matrices) { $0.affineBits }.first ?? nil
        self.bits = bits?.rawValue == affine ? nil : bits
        half = Self.byBytes(matrices) { $0.half }.first ?? KL_F16
    }

    /// - Parameters:
    ///   - stored: what keeps the matrix as it is.
    ///   - isRouter: routers are never quantized here, nor are rows that are not whole groups; both as in MLX.
    func storage(stored: Linear.Storage, cols: Int, isRouter: Bool) -> Linear.Storage {
        guard let bits else { return stored }
        let wanted = bits.storage(half: half)
        let fits = Linear.canHold(cols: cols, wanted) && !(isRouter && bits.rawValue < 16)
        return fits ? wanted : WeightBits.sixteen.storage(half: half)
    }

    /// "HF bf16 → q4-g64", "MLX q4-g64", "GGUF Q4_K+Q6_K → q4-g64 requantized".
    var label: String {
        let stored = Self.byBytes(matrices) { $0.encoding }.joined(separator: "+")
        let storages = matrices.map { storage(stored: $0.storage, cols: $0.cols, isRouter: $0.isRouter) }
        let kept = storages.map(\.name)
        var label = "\(format.rawValue) \(stored)"
        guard zip(matrices, kept).contains(where: { $0.encoding != $1 && $0.encoding.lowercased() != $1 }) else {
            return label
        }
        let sizes = zip(matrices, kept).reduce(into: [String: Int]()) { $0[$1.1, default: 0] += $1.0.bytes }
        let main = sizes.max { ($0.value, $1.key) < ($1.value, $0.key) }!.key
        label += " → \(main)"
        let isRequantized = zip(matrices, storages).contains { matrix, storage in
            if case .dense = storage { return false }
            return matrix.isQuantized && matrix.storage.joined(with: storage) != storage
        }
        if isRequantized { label += " requantized" }
        let others = kept.filter { $0 != main }
        if !others.isEmpty {
            label += " (\(others.count) of \(kept.count) matrices \(Set(others).sorted().joined(separator: " or ")))"
        }
        return label
    }

    /// Different values of `key`, that with most bytes first.
    private static func byBytes<Key: Hashable>(_ matrices: [MatrixFacts], _ key: (MatrixFacts) -> Key) -> [Key] {
        let sizes = matrices.reduce(into: [Key: Int]()) { $0[key($1), default: 0] += $1.bytes }
        return sizes.sorted { ($0.value, "\($1.key)") > ($1.value, "\($0.key)") }.map(\.key)
    }
}
