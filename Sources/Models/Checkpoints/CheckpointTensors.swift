import CKernels
import Tensors

/// The tensors of a checkpoint by the names that HuggingFace gives them.
protocol CheckpointTensors {
    /// The files that hold them, in the order of their names.
    var files: [StoredFile] { get }
    /// What every matrix of the model is.
    var matrices: [MatrixFacts] { get }
    /// The files' tensors that a model of this checkpoint must have read.
    var required: Set<String> { get }

    /// - Throws: ``TensorsError/missingTensor(file:tensor:)``, or ``TensorsError/wrongTensor(file:tensor:expected:found:)``
    ///   where the file's shape or type is not that of a matrix [rows, cols].
    func matrix(_ name: String, rows: Int, cols: Int) throws -> any StoredMatrix
    /// A vector as a matrix of one row, and what to add to its elements.
    func vector(_ name: String, count: Int) throws -> (row: any StoredMatrix, shift: Float)
}

/// A file, and where its parts lie.
struct StoredFile {
    let file: MappedFile
    /// Bytes of everything before the tensors.
    let headBytes: Int
    /// Byte ranges of the tensors, in ascending order.
    let ranges: [Range<Int>]
}

/// A matrix as it is stored, for labels and the choice of types.
struct MatrixFacts {
    /// "bf16", "q4-g64", "Q4_K"; scales of 32 bits are said, as they become 16.
    let encoding: String
    /// Bits of MLX's codes.
    var affineBits: Int?
    /// The 16-bit type that is nearest to it.
    let half: kl_half
    let cols: Int
    let bytes: Int
    /// Does it choose experts?
    var isRouter = false
    /// As ``StoredMatrix/storage``.
    let storage: Linear.Storage
    /// Have its values been quantized before?
    var isQuantized = false
}
