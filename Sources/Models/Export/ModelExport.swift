import Foundation
import Tensors

/// Writes models as files that other programs load, so that all of them run the same weights.
///
/// Rows are converted some at a time and written as they come: what is resident is a few megabytes, whatever the model.
/// ```swift
/// let export = try ModelExport(shape: file, name: "llama3.1-8b", seed: 1, execution: execution)
/// try export.writeGGUF(to: "llama.gguf", type: .q4_0)
/// ```
public struct ModelExport {
    let name: String
    let file: ConfigurationFile
    let configuration: any ModelConfiguration
    let weights: any ExportWeights
    let tokenizer: TokenizerMetadata?
    let execution: Execution

    /// A shape with weights of a seed that Q4_0, F16, F32 and MLX's 4 bits all hold without a change.
    public init(shape file: ConfigurationFile, name: String, seed: UInt64, execution: Execution) throws {
        self.name = name
        self.file = file
        configuration = try ModelRegistry.configuration(file)
        weights = SyntheticGrid(seed: seed)
        tokenizer = nil
        self.execution = execution
    }

    /// A trained model, its weights dequantized first where they are quantized.
    /// - Parameter tokenizer: for GGUF files; nil for one without meaning, as shapes have it.
    public init(checkpoint: Checkpoint, tokenizer: TokenizerMetadata? = nil, execution: Execution) {
        name = checkpoint.name
        file = checkpoint.configurationFile
        configuration = checkpoint.configuration
        weights = CheckpointRows(checkpoint: checkpoint)
        self.tokenizer = tokenizer
        self.execution = execution
    }

    /// What the weights are: "synthetic grid seed 1".
    public var label: String { weights.label }
}

extension ModelExport {
    /// Rows that are converted between two writes, about.
    private static let chunkElements = 4 << 20

    /// Converts `rows` to `type` on all workers and writes them.
    /// - Throws: ``ModelsError/cannotExport(file:reason:)`` for an element that `type` does not hold.
    func write(
        _ rows: any MatrixRows, named tensor: String, as type: ExportType, _ write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let rowBytes = type.rowBytes(cols: rows.cols)
        let chunkRows = max(1, Self.chunkElements / rows.cols)
        let bytes = try AlignedBuffer(byteCount: min(chunkRows, rows.rows) * rowBytes)
        let floats = try AlignedBuffer(count: execution.workers.threadCount * rows.cols, of: Float.self)
        let isa = execution.isa
        for start in stride(from: 0, to: rows.rows, by: chunkRows) {
            let count = min(chunkRows, rows.rows - start)
            let bad = FirstBad()
            execution.workers.run(count) { index, worker in
                let row = floats.bound(to: Float.self) + worker * rows.cols
                rows.decode(row: start + index, into: row)
                if let column = type.firstBeyond(row, count: rows.cols) {
                    bad.note(element: (start + index) * rows.cols + column, value: row[column])
                } else {
                    type.encode(row, count: rows.cols, into: bytes.pointer + index * rowBytes, isa: isa)
                }
            }
            if let (element, value) = bad.first {
                throw ModelsError.cannotExport(
                    file: name, reason: "element \(element) of tensor '\(tensor)' is \(value), which \(type.rawValue) does not hold")
            }
            try write(UnsafeRawBufferPointer(start: bytes.pointer, count: count * rowBytes))
        }
    }
}
