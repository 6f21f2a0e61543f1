import CKernels
import Caches
import Engine
import Models
import Schemes
import Tensors

/// How fast one thread turns rows of keys and values into what a scheme stores, and back.
struct CodecBench {
    private let engine: Engine
    private let layout: CacheLayout
    private let context: SyntheticContext
    private let rows: AlignedBuffer
    /// Tokens of one sample.
    private static let tokens = 4 * blockTokens

    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    init(engine: Engine, layout: CacheLayout, seed: UInt64) throws {
        self.engine = engine
        self.layout = layout
        // One thread: how well it is spread over cores is the model's business.
        let single = Execution(
            workers: WorkerPool(threads: 1), isa: engine.execution.isa, compute: engine.execution.compute)
        context = try SyntheticContext(layout: layout, seed: seed, execution: single)
        let width = layout.spec.layers.map { max($0.keyWidth, $0.valueWidth) }.max() ?? 1
        rows = try AlignedBuffer(count: blockTokens * width, of: Float.self)
    }

    /// Elements per second, stored and read back.
    /// - Throws: ``SchemeError/python(file:problem:)``.
    func run() throws -> (encode: Double, decode: Double) {
        let cache = AgentCache(agent: "codec", layout: layout, pool: BlockPool(budgetBytes: .max))
        let clock = ContinuousClock()
        let start = clock.now
        try context.fill(cache, to: Self.tokens)
        let encodeSeconds = (clock.now - start).seconds
        let elements = layout.spec.layers.reduce(0) { $0 + Self.tokens * $1.kvHeads * ($1.keyWidth + $1.valueWidth) }

        var decoded = 0
        let middle = clock.now
        for (index, layer) in layout.layers.enumerated() {
            for block in layer.heldBlocks(at: Self.tokens) {
                let base = cache.block(layer: index, holding: block * blockTokens)
                for head in 0..<layer.spec.kvHeads {
                    decode(layer.keys, layer.keySegment(head: head, in: base))
                    if let values = layer.values { decode(values, layer.valueSegment(head: head, in: base)) }
                    decoded += blockTokens * (layer.spec.keyWidth + layer.spec.valueWidth)
                }
            }
        }
        let decodeSeconds = (clock.now - middle).seconds
        try layout.checkSchemes()
        return (Double(elements) / encodeSeconds, Double(decoded) / decodeSeconds)
    }

    private func decode(_ layout: SegmentLayout, _ segment: Segment) {
        layout.scheme.decode(
            segment, from: 0, count: blockTokens, into: rows.bound(to: Float.self), isa: engine.execution.isa)
    }
}
