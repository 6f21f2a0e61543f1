import Tensors

/// All memory that a step works in, taken once when the model is made.
final class StepScratch {
    /// The widths of the largest matrices of a model's layers.
    struct Widths {
        var hidden: Int
        /// What attention projects its input to: queries, keys and values.
        var projected: Int
        /// What attention gives, all heads together.
        var mixed: Int
        /// Gate and up together.
        var feedForward: Int
        /// Half the rotated width of each kind of rotary embedding.
        var rotary: [Int]
        /// The widest input of a matrix.
        var input: Int
        /// Where layers are mixtures of experts.
        var experts: MixtureOfExperts.Shape?
    }

    let hiddenSize: Int
    /// The residual stream, [rows, hidden].
    let hidden: UnsafeMutablePointer<Float>
    /// What a layer adds to it, [rows, hidden].
    let delta: UnsafeMutablePointer<Float>
    /// [rows, projected]
    let projected: UnsafeMutablePointer<Float>
    /// [rows, mixed]
    let mixed: UnsafeMutablePointer<Float>
    /// [rows, feedForward]
    let feedForward: UnsafeMutablePointer<Float>
    /// Angles of each kind of rotary embedding, [rows, half width].
    let rotary: [RotaryTable]
    let attention: AttentionScratch
    /// nil where no layer is a mixture of experts.
    let experts: ExpertScratch?
    private let normedValues: UnsafeMutablePointer<Float>
    private let records: UnsafeMutablePointer<UInt8>
    private let scales, sums: UnsafeMutablePointer<Float>
    private let packed: UnsafeMutablePointer<UInt16>
    private let buffer: AlignedBuffer
    private var logitsBuffer: AlignedBuffer

    /// - Parameters:
    ///   - rows: the most new tokens of a step.
    ///   - logitRows: rows of logits to make room for at once; more are taken when they are asked for.
    ///   - tiles: may rows go through tiles?
    init(
        _ widths: Widths, rows: Int, logitRows: Int, vocabularySize: Int, tiles: Bool, attention: AttentionScratch
    ) throws {
        var arena = Arena()
        func floats(_ width: Int) -> Arena.Slice<Float> { arena.reserve(rows * width, of: Float.self) }
        let hidden = floats(widths.hidden)
        let delta = floats(widths.hidden)
        let normed = floats(widths.hidden)
        let projected = floats(widths.projected)
        let mixed = floats(widths.mixed)
        let feedForward = floats(widths.feedForward)
        let rotary = widths.rotary.map { (half: $0, cosines: floats($0), sines: floats($0)) }
        // The last matrix takes rows of the hidden width in two terms.
        let input = max(widths.input, 2 * widths.hidden)
        let groups = (input + Linear.groupSize - 1) / Linear.groupSize
        let records = arena.reserve(Activations.recordBytes(rows: rows, cols: input), of: UInt8.self)
        let scales = floats(groups)
        let sums = floats(groups)
        let packed = arena.reserve(
            tiles ? Activations.packedCount(rows: rows, cols: widths.input) : 0, of: UInt16.self)
        let buffer = try AlignedBuffer(byteCount: arena.byteCount)
        self.buffer = buffer
        hiddenSize = widths.hidden
        self.hidden = buffer.slice(hidden)
        self.delta = buffer.slice(delta)
        normedValues = buffer.slice(normed)
        self.projected = buffer.slice(projected)
        self.mixed = buffer.slice(mixed)
        self.feedForward = buffer.slice(feedForward)
        self.rotary = rotary.map {
            RotaryTable(half: $0.half, cosines: buffer.slice($0.cosines), sines: buffer.slice($0.sines))
        }
        self.records = buffer.slice(records)
        self.scales = buffer.slice(scales)
        self.sums = buffer.slice(sums)
        self.packed = buffer.slice(packed)
        self.attention = attention
        experts = try widths.experts.map { try ExpertScratch($0, rows: rows, tiles: tiles) }
        logitsBuffer = try AlignedBuffer(count: logitRows * vocabularySize, of: Float.self)
    }

    var byteCount: Int {
        buffer.byteCount + attention.byteCount + (experts?.byteCount ?? 0) + logitsBuffer.byteCount
    }

    /// The normalised residual stream, input of most matrices.
    var normed: Activations { activations(normedValues, stride: hiddenSize) }

    /// Rows of floats with room for the forms that products take, which all inputs share: one at a time.
    func activations(_ values: UnsafeMutablePointer<Float>, stride: Int) -> Activations {
        Activations(values: values, stride: stride, records: records, scales: scales, sums: sums, packed: packed)
    }

    func logits(rows: Int, vocabularySize: Int) throws -> Logits {
        if rows * vocabularySize * MemoryLayout<Float>.stride > logitsBuffer.byteCount {
            logitsBuffer = try AlignedBuffer(count: rows * vocabularySize, of: Float.self)
        }
        return Logits(values: logitsBuffer.bound(), rows: rows, vocabularySize: vocabularySize)
    }
}

/// Cosines and sines of the rows of a step, [rows, half].
struct RotaryTable {
    let half: Int
    let cosines: UnsafeMutablePointer<Float>
    let sines: UnsafeMutablePointer<Float>
}
