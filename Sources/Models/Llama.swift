import CKernels
import Caches
import Crypto
import Foundation
import Tensors

/// Llama 3.x: grouped-query attention, RoPE, RMSNorm, SwiGLU.
/// - Source: transformers `models/llama/modeling_llama.py`.
public final class Llama: LanguageModel {
    public let name: String
    public let weightsLabel: String
    public let fingerprint: String
    public let cacheSpec: ModelCacheSpec
    public let maximumStepTokens: Int
    public var vocabularySize: Int { configuration.vocabularySize }
    public var contextLimit: Int { configuration.contextLimit }

    private let configuration: LlamaConfiguration
    private let execution: Execution
    private let embedding: Linear
    private let layers: [Layer]
    private let finalNorm: [Float]
    /// The embedding itself where they are tied.
    private let head: Linear
    private let workspace: Workspace

    private struct Layer {
        let inputNorm: [Float]
        /// Queries, keys and values stacked.
        let queryKeyValue: Linear
        let output: Linear
        let postNorm: [Float]
        /// Gate and up stacked.
        let gateUp: Linear
        let down: Linear
    }

    /// - Parameters:
    ///   - name: for messages and records.
    ///   - maximumStepTokens: new tokens of all sequences of a step together.
    ///   - maximumSequences: sequences of a step.
    ///   - contextLimit: the longest context to make room for; the configuration's own limit when that is smaller.
    public init(
        name: String, configuration: LlamaConfiguration, weights: some WeightSource, execution: Execution,
        maximumStepTokens: Int = 512, maximumSequences: Int = 8
    ) throws {
        self.name = name
        self.configuration = configuration
        self.execution = execution
        self.maximumStepTokens = maximumStepTokens
        weightsLabel = weights.label
        cacheSpec = configuration.cacheSpec(mlaForm: .none)
        let c = configuration
        let identity = "\(c) \(weights.label)"
        fingerprint = SHA256.hash(data: Data(identity.utf8)).map { String(format: "%02x", $0) }.joined()

        embedding = try weights.linear([("model.embed_tokens.weight", c.vocabularySize)], cols: c.hiddenSize)
        layers = try (0..<c.layers).map { index in
            let prefix = "model.layers.\(index)."
            let attention = prefix + "self_attn."
            let mlp = prefix + "mlp."
            return Layer(
                inputNorm: try weights.vector(prefix + "input_layernorm.weight", count: c.hiddenSize),
                queryKeyValue: try weights.linear(
                    [
                        (attention + "q_proj.weight", c.queryHeads * c.headWidth),
                        (attention + "k_proj.weight", c.kvHeads * c.headWidth),
                        (attention + "v_proj.weight", c.kvHeads * c.headWidth),
                    ], cols: c.hiddenSize),
                output: try weights.linear([(attention + "o_proj.weight", c.hiddenSize)], cols: c.queryHeads * c.headWidth),
                postNorm: try weights.vector(prefix + "post_attention_layernorm.weight", count: c.hiddenSize),
                gateUp: try weights.linear(
                    [(mlp + "gate_proj.weight", c.ffnSize), (mlp + "up_proj.weight", c.ffnSize)], cols: c.hiddenSize),
                down: try weights.linear([(mlp + "down_proj.weight", c.hiddenSize)], cols: c.ffnSize))
        }
        finalNorm = try weights.vector("model.norm.weight", count: c.hiddenSize)
        head = c.tiedEmbeddings ? embedding : try weights.linear([("lm_head.weight", c.vocabularySize)], cols: c.hiddenSize)
        workspace = try Workspace(
            configuration: c, execution: execution, rows: maximumStepTokens, sequences: maximumSequences)
    }

    public var weightBytes: Int {
        let matrices = layers.flatMap { [$0.queryKeyValue, $0.output, $0.gateUp, $0.down] } + [embedding]
        return matrices.reduce(0) { $0 + $1.byteCount } + (head === embedding ? 0 : head.byteCount)
    }

    public var workspaceBytes: Int { workspace.byteCount }

    public func forward(_ sequences: [SequenceStep]) throws -> Logits {
        let rows = try StepRows(
            sequences, vocabularySize: vocabularySize, contextLimit: contextLimit, maximumTokens: maximumStepTokens,
            model: name)
        let logits = try workspace.logits(rows: rows.wantedCount, vocabularySize: vocabularySize)
        for sequence in sequences { try sequence.cache.reserve(sequence.tokens.count) }

        let c = configuration
        let w = workspace
        execution.forEachChunk(of: rows.count) { chunk in
            for row in chunk {
                embedding.dequantize(row: Int(rows.tokens[row]), into: w.hidden + row * c.hiddenSize)
                c.rope.fill(
                    position: rows.positions[row], cosines: w.cosines + row * c.headWidth / 2,
                    sines: w.sines + row * c.headWidth / 2)
            }
        }
        var active = rows.all
        for (index, layer) in layers.enumerated() {
            let last = index == layers.count - 1
            attention(layer, index: index, rows: rows, active: &active, narrow: last)
            if active.count == 0 { break }
            feedForward(layer, rows: active.count)
        }
        if active.count > 0 {
            normalize(finalNorm, rows: active.count)
            head.apply(w.normed(c.hiddenSize), tokens: active.count, into: logits.values, stride: vocabularySize, on: execution)
        }
        for sequence in sequences { sequence.cache.commit(sequence.tokens) }
        return logits
    }

    /// hidden += Attention(norm(hidden)). With `narrow`, only rows whose logits are wanted go past keys and values, and
    /// they move to the front.
    private func attention(_ layer: Layer, index: Int, rows: StepRows, active: inout StepRows.Selection, narrow: Bool) {
        let c = configuration
        let w = workspace
        let queryWidth = c.queryHeads * c.headWidth
        let kvWidth = c.kvHeads * c.headWidth
        let stride = queryWidth + 2 * kvWidth
        normalize(layer.inputNorm, rows: rows.count)
        let input = w.normed(c.hiddenSize)
        if narrow {
            layer.queryKeyValue.apply(
                input, tokens: rows.count, rows: queryWidth..<stride, into: w.queryKeyValue + queryWidth,
                stride: stride, on: execution)
        } else {
            layer.queryKeyValue.apply(input, tokens: rows.count, into: w.queryKeyValue, stride: stride, on: execution)
        }

        let sequences = rows.sequences
        execution.workers.run(sequences.count * c.kvHeads) { task, _ in
            let sequence = sequences[task / c.kvHeads]
            let head = task % c.kvHeads
            let keys = w.queryKeyValue + sequence.firstRow * stride + queryWidth + head * c.headWidth
            for row in 0..<sequence.count {
                rotate(keys + row * stride, row: sequence.firstRow + row)
            }
            sequence.cache.store(
                layer: index, head: head, keys: keys, keyStride: stride, values: keys + kvWidth, valueStride: stride,
                count: sequence.count, isa: execution.isa)
        }

        if narrow {
            active = rows.wanted
            guard active.count > 0 else { return }
            for (target, source) in active.rows.enumerated() where target != source {
                (w.hidden + target * c.hiddenSize).update(from: w.hidden + source * c.hiddenSize, count: c.hiddenSize)
            }
            normalize(layer.inputNorm, rows: active.count)
            layer.queryKeyValue.apply(
                input, tokens: active.count, rows: 0..<queryWidth, into: w.queryKeyValue, stride: stride, on: execution)
        }
        let selection = active
        execution.forEachChunk(of: selection.count) { chunk in
            for row in chunk {
                for head in 0..<c.queryHeads {
                    rotate(w.queryKeyValue + row * stride + head * c.headWidth, row: selection.rows[row])
                }
            }
        }
        CachedAttention(execution: execution, scratch: w.attention).attend(
            layer: index, window: nil, shape: w.shape, sequences: selection.sequences, queries: w.queryKeyValue,
            queryStride: stride, out: w.mixed, outStride: queryWidth)
        let mixed = w.activations(w.mixed, cols: queryWidth)
        execution.forEachChunk(of: selection.count) { execution.quantize(mixed, rows: $0, cols: queryWidth) }
        layer.output.apply(mixed, tokens: selection.count, into: w.delta, stride: c.hiddenSize, on: execution)
        addDelta(rows: selection.count)
    }

    /// hidden += W_down(silu(W_gate x) · W_up x), x = norm(hidden).
    private func feedForward(_ layer: Layer, rows: Int) {
        let c = configuration
        let w = workspace
        normalize(layer.postNorm, rows: rows)
        layer.gateUp.apply(w.normed(c.hiddenSize), tokens: rows, into: w.gateUp, stride: 2 * c.ffnSize, on: execution)
        let gate = w.activations(w.gateUp, cols: 2 * c.ffnSize)
        execution.forEachChunk(of: rows) { chunk in
            for row in chunk {
                let start = w.gateUp + row * 2 * c.ffnSize
                kl_swiglu(execution.isa, start, start + c.ffnSize, c.ffnSize)
            }
            execution.quantize(gate, rows: chunk, cols: c.ffnSize)
        }
        layer.down.apply(gate, tokens: rows, into: w.delta, stride: c.hiddenSize, on: execution)
        addDelta(rows: rows)
    }

    /// normed = RMSNorm(hidden) · weight, and its 8-bit form.
    private func normalize(_ weight: [Float], rows: Int) {
        let c = configuration
        let w = workspace
        let normed = w.normed(c.hiddenSize)
        weight.withUnsafeBufferPointer { weight in
            let weight = weight.baseAddress!
            execution.forEachChunk(of: rows) { chunk in
                for row in chunk {
                    kl_rms_norm(
                        execution.isa, w.hidden + row * c.hiddenSize, weight, 0, c.normEpsilon, c.hiddenSize,
                        normed.values + row * c.hiddenSize)
                }
                execution.quantize(normed, rows: chunk, cols: c.hiddenSize)
            }
        }
    }

    private func addDelta(rows: Int) {
        let c = configuration
        let w = workspace
        execution.forEachChunk(of: rows) { chunk in
            let start = chunk.lowerBound * c.hiddenSize
            kl_add(execution.isa, w.hidden + start, w.delta + start, chunk.count * c.hiddenSize)
        }
    }

    /// Rotates one head of the token in step row `row`.
    private func rotate(_ head: UnsafeMutablePointer<Float>, row: Int) {
        let half = configuration.headWidth / 2
        kl_rope(
            execution.isa, head, configuration.headWidth, workspace.cosines + row * half, workspace.sines + row * half,
            true)
    }
}

extension Llama {
    /// All scratch memory of a step, taken once.
    private final class Workspace {
        let shape: CachedAttention.Shape
        let attention: AttentionScratch
        let hidden, delta, queryKeyValue, mixed, gateUp, cosines, sines: UnsafeMutablePointer<Float>
        private let normedValues: UnsafeMutablePointer<Float>
        private let codes: UnsafeMutablePointer<Int8>
        private let scales, sums: UnsafeMutablePointer<Float>
        private let buffer: AlignedBuffer
        private var logitsBuffer: AlignedBuffer

        init(configuration c: LlamaConfiguration, execution: Execution, rows: Int, sequences: Int) throws {
            shape = CachedAttention.Shape(
                queryHeads: c.queryHeads, kvHeads: c.kvHeads, keyWidth: c.headWidth, valueWidth: c.headWidth,
                scale: 1 / Float(c.headWidth).squareRoot(), softcap: 0)
            let queryWidth = c.queryHeads * c.headWidth
            let widest = max(c.hiddenSize, c.ffnSize, queryWidth)
            var arena = Arena()
            let hidden = arena.reserve(rows * c.hiddenSize, of: Float.self)
            let normed = arena.reserve(rows * c.hiddenSize, of: Float.self)
            let delta = arena.reserve(rows * c.hiddenSize, of: Float.self)
            let queryKeyValue = arena.reserve(rows * (queryWidth + 2 * c.kvHeads * c.headWidth), of: Float.self)
            let mixed = arena.reserve(rows * queryWidth, of: Float.self)
            let gateUp = arena.reserve(rows * 2 * c.ffnSize, of: Float.self)
            let cosines = arena.reserve(rows * c.headWidth / 2, of: Float.self)
            let sines = arena.reserve(rows * c.headWidth / 2, of: Float.self)
            let codes = arena.reserve(rows * widest, of: Int8.self)
            let scales = arena.reserve(rows * widest / Linear.groupSize, of: Float.self)
            let sums = arena.reserve(rows * widest / Linear.groupSize, of: Float.self)
            buffer = try AlignedBuffer(byteCount: arena.byteCount)
            self.hidden = buffer.slice(hidden)
            normedValues = buffer.slice(normed)
            self.delta = buffer.slice(delta)
            self.queryKeyValue = buffer.slice(queryKeyValue)
            self.mixed = buffer.slice(mixed)
            self.gateUp = buffer.slice(gateUp)
            self.cosines = buffer.slice(cosines)
            self.sines = buffer.slice(sines)
            self.codes = buffer.slice(codes)
            self.scales = buffer.slice(scales)
            self.sums = buffer.slice(sums)
            attention = try AttentionScratch(
                threads: execution.workers.threadCount, shape: shape, contextLimit: c.contextLimit, sequences: sequences)
            logitsBuffer = try AlignedBuffer(count: sequences * c.vocabularySize, of: Float.self)
        }

        var byteCount: Int { buffer.byteCount + attention.byteCount + logitsBuffer.byteCount }

        func normed(_ cols: Int) -> Activations { activations(normedValues, cols: cols) }

        /// Rows of `cols` floats with room for their 8-bit form, which all rows share: one product at a time.
        func activations(_ values: UnsafeMutablePointer<Float>, cols: Int) -> Activations {
            Activations(values: values, stride: cols, codes: codes, scales: scales, sums: sums)
        }

        /// Room for logits; it grows when logits of many rows are asked for.
        func logits(rows: Int, vocabularySize: Int) throws -> Logits {
            if rows * vocabularySize * 4 > logitsBuffer.byteCount {
                logitsBuffer = try AlignedBuffer(count: rows * vocabularySize, of: Float.self)
            }
            return Logits(values: logitsBuffer.bound(), rows: rows, vocabularySize: vocabularySize)
        }
    }
}
