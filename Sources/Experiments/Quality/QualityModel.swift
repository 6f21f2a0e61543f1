import Caches
import Engine
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

    /// The checkpoints of a setting, as ``Laboratory/checkpoints(_:)`` finds them.
    /// - Throws: as ``init(path:mlaForm:)``.
    public static func open(_ paths: [String], in laboratory: Laboratory, mlaForm: MLAForm) throws -> [QualityModel] {
        try laboratory.checkpoints(paths).map { try QualityModel(path: $0, mlaForm: mlaForm) }
    }

    /// The tokens that the largest sliding window of its layers sees; nil when every layer sees all.
    public var slidingWindow: Int? {
        checkpoint.configuration.cacheSpec(mlaForm: form).layers.compactMap(\.window).max()
    }

    /// The published model whose class this checkpoint is of, and the shape among `experiments/shapes` whose caches and
    /// vocabulary it has; empty texts where there is none.
    public func kin(in laboratory: Laboratory) throws -> (paperModel: String, shape: String) {
        let own = checkpoint.configuration
        var kin = (paperModel: "", shape: "")
        for name in laboratory.shapeNames {
            let shape = try laboratory.configuration(shape: name)
            guard type(of: shape) == type(of: own) else { continue }
            let paper = try laboratory.paperModel(shape: name)
            if kin.paperModel.isEmpty { kin.paperModel = paper }
            if shape.cacheSpec(mlaForm: form) == own.cacheSpec(mlaForm: form), shape.vocabularySize == own.vocabularySize {
                kin = (paper, name)
            }
        }
        return kin
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
