import Caches
import Engine
import Foundation
import Models
import Text

/// A checkpoint to measure quality on, with its tokenizer.
public final class QualityModel {
    public let checkpoint: Checkpoint
    public let tokenizer: Tokenizer
    private let form: MLAForm
    private var engines: [Compute: Engine] = [:]

    /// Opens a checkpoint; its weights are read when an engine is asked for.
    /// - Throws: what `Checkpoint.open` throws, `EngineError/noTokenizer(checkpoint:)`, or
    ///   ``ExperimentsError/vocabularyMismatch(weights:tokenizer:model:)``.
    public init(path: String, mlaForm: MLAForm) throws {
        checkpoint = try Checkpoint.open(path)
        tokenizer = try checkpoint.loadTokenizer()
        form = mlaForm
        let rows = checkpoint.configuration.vocabularySize
        guard tokenizer.vocabularySize <= rows else {
            throw ExperimentsError.vocabularyMismatch(
                weights: path, tokenizer: tokenizer.vocabularySize, model: rows)
        }
    }

    /// An engine with the weights as the checkpoint has them, on a compute path.
    public func engine(_ compute: Compute, like execution: Execution) throws -> Engine {
        if let engine = engines[compute] { return engine }
        let execution = Execution(workers: execution.workers, isa: execution.isa, compute: compute)
        let engine = Engine(
            model: try checkpoint.model(bits: nil, execution: execution, mlaForm: form), execution: execution)
        engines[compute] = engine
        return engine
    }
}
