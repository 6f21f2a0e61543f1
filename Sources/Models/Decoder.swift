import CKernels
import Caches
import Crypto
import Foundation
import Schemes
import Tensors

/// A decoder-only transformer: embedding, layers, final norm, head. What makes an architecture are its layers and the
/// facts of its configuration; see `Llama.swift`.
public final class Decoder: LanguageModel {
    /// What an architecture's file puts together.
    struct Parts {
        let vocabularySize: Int
        let contextLimit: Int
        let cacheSpec: ModelCacheSpec
        /// Factor on embeddings.
        var embeddingScale: Float = 1
        let embedding: Linear
        let keyRotations: KeyRotations
        let blocks: [TransformerBlock]
        let finalNorm: Norm
        /// The embedding itself where they are tied.
        let head: Linear
        /// logits → softcap · tanh(logits / softcap) where positive.
        var logitSoftcap: Float = 0
        let widths: StepScratch.Widths
        /// The widest shape of the layers' attention.
        let attentionShape: CachedAttention.Shape
    }

    /// How large steps can be.
    public struct StepLimits: Sendable {
        /// New tokens of all sequences of a step together.
        public var tokens = 512
        /// Sequences of a step.
        public var sequences = 8

        public init() {}
    }

    public let name: String
    public let weightsLabel: String
    public let fingerprint: String
    public let rotaryFingerprint: String
    public var keyRotations: KeyRotations { parts.keyRotations }
    public let maximumStepTokens: Int
    public let maximumStepSequences: Int
    public var vocabularySize: Int { parts.vocabularySize }
    public var contextLimit: Int { parts.contextLimit }
    public var calibration: CalibrationSource?
    public var cacheSpec: ModelCacheSpec {
        var spec = parts.cacheSpec
        spec.calibration = calibration
        return spec
    }

    let parts: Parts
    private let execution: Execution
    private let scratch: StepScratch

    /// - Parameter identity: all that decides what the model computes: the configuration and the weights.
    init(
        name: String, weightsLabel: String, identity: String, parts: Parts, execution: Execution, limits: StepLimits
    ) throws {
        self.name = name
        self.weightsLabel = weightsLabel
        fingerprint = digest(identity)
        rotaryFingerprint = parts.keyRotations.fingerprint
        self.parts = parts
        self.execution = execution
        maximumStepTokens = limits.tokens
        maximumStepSequences = limits.sequences
        scratch = try StepScratch(
            parts.widths, rows: limits.tokens, logitRows: limits.sequences, vocabularySize: parts.vocabularySize,
            tiles: execution.hasTiles, attention: AttentionScratch(
                threads: execution.workers.threadCount, shape: parts.attentionShape, contextLimit: parts.contextLimit,
                sequences: limits.sequences))
    }

    public var weightBytes: Int {
        parts.blocks.reduce(0) { $0 + $1.byteCount } + parts.embedding.byteCount
            + (parts.head === parts.embedding ? 0 : parts.head.byteCount)
    }

    public var workspaceBytes: Int { scratch.byteCount }

    public func forward(_ sequences: [SequenceStep]) throws -> Logits {
        let rows = try StepRows(
            sequences, vocabularySize: vocabularySize, contextLimit: contextLimit, maximumTokens: maximumStepTokens,
            model: name)
        let logits = try scratch.logits(rows: rows.wanted.count, vocabularySize: vocabularySize)
        let batch = BatchQuantizedKVCache(sequences.map(\.cache))
        precondition(batch.rows.allSatisfy { $0.layout.spec == parts.cacheSpec }, "a cache is another model's")
        precondition(batch.count <= maximumStepSequences, "a step of \(batch.count) sequences")
        try batch.reserve(sequences.map(\.tokens.count))
        let step = Step(model: name, execution: execution, scratch: scratch, rows: rows)
        embed(step)
        try step.throwIfNotFinite(.embedding)
        for (layer, block) in parts.blocks.enumerated() {
            try block.apply(step, layer: layer, last: layer == parts.blocks.count - 1)
        }
        if step.active.count > 0 {
            parts.finalNorm.apply(to: step, rows: step.active.count)
            parts.head.applyFinely(
                scratch.normed, runs: step.runs, into: logits.values, stride: vocabularySize, on: execution)
            finish(logits, step)
            try step.throwIfNotFinite(.head)
        }
        for cache in batch.rows { try cache.layout.checkSchemes() }
        batch.commit(sequences.map(\.tokens))
        return logits
    }

    /// Looks up the step's tokens and works out the angles of their positions.
    private func embed(_ step: Step) {
        let width = scratch.hiddenSize
        execution.forEachChunk(of: step.rows.count) { chunk in
            for row in chunk {
                let hidden = scratch.hidden + row * width
                parts.embedding.dequantize(row: Int(step.rows.tokens[row]), into: hidden)
                if parts.embeddingScale != 1 { kl_scale(execution.isa, hidden, parts.embeddingScale, width) }
                step.check(hidden, width, row: row)
                for (embedding, table) in zip(parts.keyRotations.embeddings, scratch.rotary) {
                    embedding.fill(
                        position: step.rows.positions[row], cosines: table.cosines + row * table.half,
                        sines: table.sines + row * table.half)
                }
            }
        }
    }

    /// Caps the logits where the model does, and checks them.
    private func finish(_ logits: Logits, _ step: Step) {
        let cap = parts.logitSoftcap
        execution.workers.run(logits.rows) { row, _ in
            let values = logits.row(row)
            if cap > 0 {
                for index in values.indices { values[index] = cap * hyperbolicTangent(values[index] / cap) }
            }
            step.check(values.baseAddress!, values.count, row: step.active.rows[row])
        }
    }
}

/// SHA-256 of a text, in hexadecimal.
public func digest(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
}
