import CKernels
import Tensors

/// The expansion of latent attention, taken apart by head so that queries and outputs go through it instead of keys
/// and values.
struct AbsorbedExpansion: Sendable {
    /// W_Kᵀ of each head: [latent, nope]. Floats, since the groups of a quantized matrix run the other way.
    let keys: [Linear]
    /// W_V of each head: [value, latent], kept as the whole is.
    let values: [Linear]

    var byteCount: Int { (keys + values).reduce(0) { $0 + $1.byteCount } }

    /// - Parameter whole: rows of every head, [heads, nope + value]; columns of the compressed KV.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    init(_ whole: Linear, shape: LatentAttention.Shape, execution: Execution) throws {
        let dense: kl_dense = if case .dense(let type) = whole.storage { type } else { KL_DENSE_F32 }
        let keys = try (0..<shape.heads).map { _ in
            try Linear(rows: shape.latentWidth, cols: shape.nopeWidth, storage: .dense(dense))
        }
        let values = try (0..<shape.heads).map { _ in
            try Linear(rows: shape.valueWidth, cols: shape.latentWidth, storage: whole.storage)
        }
        execution.workers.run(shape.heads) { head, _ in
            let start = head * (shape.nopeWidth + shape.valueWidth)
            var columns = [Float](repeating: 0, count: shape.nopeWidth * shape.latentWidth)
            var row = [Float](repeating: 0, count: shape.latentWidth)
            for index in 0..<shape.nopeWidth {
                whole.dequantize(row: start + index, into: &row)
                for column in row.indices { columns[column * shape.nopeWidth + index] = row[column] }
            }
            keys[head].fill(row: 0, count: shape.latentWidth, from: KL_DENSE_F32, columns, isa: execution.isa)
            for index in 0..<shape.valueWidth {
                values[head].fill(row: index, copying: start + shape.nopeWidth + index, of: whole)
            }
        }
        self.keys = keys
        self.values = values
    }

    /// Absorbed queries of the rows at work: W_Kᵀ q and behind it the rotated part, [heads, latent + rope].
    func queries(_ shape: LatentAttention.Shape, _ step: Step) {
        let stride = shape.projectedWidth
        let scratch = step.scratch
        step.execution.workers.run(shape.heads) { head, _ in
            let from = scratch.projected + shape.queries + head * shape.queryWidth
            let to = scratch.projected + shape.first + head * shape.compressedWidth
            for run in step.runs {
                keys[head].apply(
                    scratch.activations(from, stride: stride), run: run, panels: 0..<keys[head].panelCount,
                    endRow: shape.latentWidth, into: to, stride: stride, on: step.execution)
            }
            for row in 0..<step.active.count {
                (to + row * stride + shape.latentWidth).update(
                    from: from + row * stride + shape.nopeWidth, count: shape.ropeWidth)
            }
        }
    }

    /// mixed = W_V of the weighted compressed rows, [rows, heads, value].
    func values(_ shape: LatentAttention.Shape, _ step: Step) {
        let stride = shape.projectedWidth
        let width = shape.latentWidth
        let scratch = step.scratch
        let rows = step.active.count
        step.execution.workers.run(shape.heads) { head, _ in
            // Each head has a part of the rows' other forms for itself.
            let shared = scratch.activations(scratch.projected + shape.second + head * width, stride: stride)
            let groups = width / Linear.groupSize
            let input = Activations(
                values: shared.values, stride: stride,
                records: shared.records + Activations.recordBytes(rows: head * rows, cols: width),
                scales: shared.scales + head * rows * groups, sums: shared.sums + head * rows * groups,
                packed: shared.packed + head * Activations.packedCount(rows: rows, cols: width))
            step.quantize(input, rows: 0..<rows, cols: width)
            for run in step.runs {
                values[head].apply(
                    input, run: run, panels: 0..<values[head].panelCount, endRow: shape.valueWidth,
                    into: scratch.mixed + head * shape.valueWidth, stride: shape.heads * shape.valueWidth,
                    on: step.execution)
            }
        }
    }
}
