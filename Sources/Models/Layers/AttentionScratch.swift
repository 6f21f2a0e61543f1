import CKernels
import Foundation
import Schemes
import Tensors

/// Memory that attention works in: a part for each worker, and the partial results of a decode.
struct AttentionScratch: @unchecked Sendable {
    /// One worker's part.
    struct Worker {
        let flash: UnsafeMutableRawPointer
        let queries: UnsafeMutablePointer<Float>
        let keys: UnsafeMutablePointer<Float>
        let values: UnsafeMutablePointer<Float>
        let output: UnsafeMutablePointer<Float>
        let low: UnsafeMutablePointer<Int32>
        let high: UnsafeMutablePointer<Int32>
        let scores: UnsafeMutablePointer<Float>
        let quantized: QuantizedRows
    }

    /// Running maximum, sum and output of the heads of one part.
    struct Partial {
        let maxima: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Float>
        let output: UnsafeMutablePointer<Float>

        func reset(heads: Int, width: Int) {
            maxima.update(repeating: -.infinity, count: heads)
            sums.update(repeating: 0, count: heads)
            output.update(repeating: 0, count: heads * width)
        }
    }

    private let buffer: AlignedBuffer
    private let workers: [Worker]
    private let partials: UnsafeMutablePointer<Float>

    var byteCount: Int { buffer.byteCount }

    /// - Parameters:
    ///   - shape: the widest shape of the model's layers.
    ///   - contextLimit, sequences: the most positions of a sequence, and the most sequences of a step.
    init(threads: Int, shape: CachedAttention.Shape, contextLimit: Int, sequences: Int) throws {
        let rows = max(CachedAttention.taskRows, shape.group)
        let tile = max(CachedAttention.longestTile, blockTokens)
        let keyGroups = (shape.keyWidth + Linear.groupSize - 1) / Linear.groupSize
        let flashBytes = max(
            kl_flash_workspace(KL_REFERENCE, rows, CachedAttention.longestTile, shape.keyWidth, shape.valueWidth),
            kl_flash_workspace(KL_FAST, rows, CachedAttention.longestTile, shape.keyWidth, shape.valueWidth))
        var arena = Arena()
        let slices = (0..<threads).map { _ in
            (
                flash: arena.reserve(flashBytes, of: UInt8.self), queries: arena.reserve(rows * shape.keyWidth, of: Float.self),
                keys: arena.reserve(tile * shape.keyWidth, of: Float.self),
                values: arena.reserve(tile * shape.valueWidth, of: Float.self),
                output: arena.reserve(rows * shape.valueWidth, of: Float.self),
                low: arena.reserve(rows, of: Int32.self), high: arena.reserve(rows, of: Int32.self),
                scores: arena.reserve(shape.decodeHeads * blockTokens, of: Float.self),
                codes: arena.reserve(shape.decodeHeads * shape.keyWidth, of: Int8.self),
                scales: arena.reserve(shape.decodeHeads * keyGroups, of: Float.self),
                sums: arena.reserve(shape.decodeHeads * keyGroups, of: Float.self)
            )
        }
        let parts = sequences * (contextLimit / CachedAttention.splitTokens + 1)
        let partialSlice = arena.reserve(parts * shape.decodeTasks * Self.partialStride(shape), of: Float.self)
        let buffer = try AlignedBuffer(byteCount: arena.byteCount)
        self.buffer = buffer
        workers = slices.map { slice in
            Worker(
                flash: UnsafeMutableRawPointer(buffer.slice(slice.flash)), queries: buffer.slice(slice.queries),
                keys: buffer.slice(slice.keys), values: buffer.slice(slice.values), output: buffer.slice(slice.output),
                low: buffer.slice(slice.low), high: buffer.slice(slice.high), scores: buffer.slice(slice.scores),
                quantized: QuantizedRows(
                    codes: buffer.slice(slice.codes), scales: buffer.slice(slice.scales), sums: buffer.slice(slice.sums)))
        }
        partials = buffer.slice(partialSlice)
    }

    func worker(_ index: Int) -> Worker { workers[index] }

    /// The partial results of decode task `task`.
    func partial(_ task: Int, _ shape: CachedAttention.Shape) -> Partial {
        let start = partials + task * Self.partialStride(shape)
        let headsPadded = (shape.decodeHeads + 15) / 16 * 16
        return Partial(maxima: start, sums: start + headsPadded, output: start + 2 * headsPadded)
    }

    private static func partialStride(_ shape: CachedAttention.Shape) -> Int {
        (2 * ((shape.decodeHeads + 15) / 16 * 16) + shape.decodeHeads * shape.summedWidth + 15) / 16 * 16
    }
}

func exponential(_ x: Float) -> Float { expf(x) }
func hyperbolicTangent(_ x: Float) -> Float { tanhf(x) }
