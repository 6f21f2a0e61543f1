import CKernels
import Schemes
import Tensors
import Testing

/// What every scheme promises, checked for all of them on every instruction set of this machine.
@Suite struct SchemeConformanceTests {
    static let isas = [KL_SCALAR, KL_AVX2, KL_AVX512, KL_AMX, KL_NEON].filter { kl_isa_supported($0) }
    static let names = SchemeRegistry.all.map(\.name)
    static let widths = [64, 128, 256, 576]

    /// A segment with its memory.
    private struct Store {
        let layout: SegmentLayout
        let memory: AlignedBuffer
        var segment: Segment { layout.segment(at: memory.pointer) }

        init(_ name: String, width: Int) throws {
            layout = try SegmentLayout(scheme: try SchemeRegistry.scheme(named: name), width: width)
            memory = try AlignedBuffer(byteCount: layout.byteCount)
        }

        func encode(_ rows: [Float], at token: Int, isa: kl_isa) {
            layout.scheme.encode(rows, count: rows.count / layout.width, stride: layout.width, at: token, into: segment, isa: isa)
        }

        func decode(_ token: Int, _ count: Int, isa: kl_isa) -> [Float] {
            [Float](unsafeUninitializedCapacity: count * layout.width) { out, filled in
                layout.scheme.decode(segment, from: token, count: count, into: out.baseAddress!, isa: isa)
                filled = count * layout.width
            }
        }
    }

    private static func rows(_ count: Int, width: Int, seed: UInt64 = 1) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: count * width * 2)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        return (0..<(count * width)).map { index in
            let value = (Float(bytes[2 * index]) + Float(bytes[2 * index + 1]) / 256) / 128 - 1
            return index % width == 5 ? 8 * value : value
        }
    }

    /// Widths that a scheme takes.
    private static func widths(_ name: String) throws -> [Int] {
        let scheme = try SchemeRegistry.scheme(named: name)
        return widths.filter { (try? scheme.planes(width: $0)) != nil }
    }

    /// A segment takes exactly 256 times what a token takes, and every plane starts on a cache line.
    @Test(arguments: names)
    func bytesAreExact(name: String) throws {
        let scheme = try SchemeRegistry.scheme(named: name)
        for width in try Self.widths(name) {
            let store = try Store(name, width: width)
            #expect(store.layout.byteCount == 256 * (try scheme.bytesPerToken(width: width)))
            #expect(store.layout.byteCount % 64 == 0)
            for plane in store.layout.planes { #expect(plane.bytesPerToken * 256 % 64 == 0) }
        }
    }

    /// Steps of the GGML types in the span of a block, or in its largest magnitude, and how many a value is off at most.
    /// The upper end of q4_0 and q5_0 has no code of its own. A value of iq4_nl is at most 14 steps from its level before
    /// the scale is fitted to all of them; a search for the worst block found 26 steps after.
    private static let ggmlSteps: [String: (count: Float, spanned: Bool, off: Float)] = [
        "q8_0": (127, false, 0.5), "q5_1": (31, true, 0.5), "q5_0": (16, false, 1), "q4_1": (15, true, 0.5),
        "q4_0": (8, false, 1), "iq4_nl": (127, false, 28),
    ]

    /// |x − x̂| is at most what the scheme's definition allows.
    @Test(arguments: names, isas)
    func errorIsBounded(name: String, isa: kl_isa) throws {
        for width in try Self.widths(name) {
            let store = try Store(name, width: width)
            let rows = Self.rows(256, width: width)
            store.encode(rows, at: 0, isa: isa)
            let back = store.decode(0, 256, isa: isa)
            for row in 0..<256 {
                for column in 0..<width {
                    let x = rows[row * width + column]
                    let bound: Float
                    if let affine = store.layout.scheme as? AffineScheme {
                        let start = row * width + column / affine.groupSize * affine.groupSize
                        let group = rows[start..<(start + affine.groupSize)]
                        let largest = group.map(abs).max()!
                        let scale = (group.max()! - group.min()!) / Float((1 << affine.bits) - 1)
                        // The scale is stretched so that an edge is hit; scale and bias are rounded to 16 bits.
                        bound = scale * 1.5 + largest / 100
                    } else if let steps = Self.ggmlSteps[name] {
                        let start = row * width + column / GGMLScheme.blockSize * GGMLScheme.blockSize
                        let block = rows[start..<(start + GGMLScheme.blockSize)]
                        let largest = block.map(abs).max()!
                        let step = (steps.spanned ? block.max()! - block.min()! : largest) / steps.count
                        // Scale and minimum are rounded to IEEE f16.
                        bound = steps.off * step + largest / 512
                    } else {
                        bound = abs(x) / (name == "bf16" ? 256 : name == "fp16" ? 1024 : .infinity)
                    }
                    #expect(abs(x - back[row * width + column]) <= bound, "\(name) width \(width) row \(row) column \(column)")
                }
            }
        }
    }

    /// Rows may come in any pieces; a row does not touch its neighbours.
    @Test(arguments: names, isas)
    func piecesDoNotMatter(name: String, isa: kl_isa) throws {
        for width in try Self.widths(name) {
            let rows = Self.rows(256, width: width, seed: 2)
            let whole = try Store(name, width: width)
            whole.encode(rows, at: 0, isa: isa)
            let pieces = try Store(name, width: width)
            for (start, end) in [(100, 256), (0, 1), (1, 37), (37, 100)] {
                pieces.encode(Array(rows[(start * width)..<(end * width)]), at: start, isa: isa)
            }
            let bytes = whole.layout.byteCount
            #expect(Array(UnsafeRawBufferPointer(start: whole.memory.pointer, count: bytes))
                == Array(UnsafeRawBufferPointer(start: pieces.memory.pointer, count: bytes)))
            #expect(Array(whole.decode(0, 256, isa: isa)[(99 * width)..<(140 * width)]) == whole.decode(99, 41, isa: isa))
        }
    }

    /// All instruction sets store the same bytes.
    @Test(arguments: names)
    func instructionSetsStoreTheSame(name: String) throws {
        for width in try Self.widths(name) {
            let rows = Self.rows(256, width: width, seed: 3)
            let stored = try Self.isas.map { isa in
                let store = try Store(name, width: width)
                store.encode(rows, at: 0, isa: isa)
                return Array(UnsafeRawBufferPointer(start: store.memory.pointer, count: store.layout.byteCount))
            }
            for other in stored.dropFirst() { #expect(other == stored[0]) }
        }
    }

    /// Scoring and accumulating packed rows gives what decoding them first gives; kernels may turn the weights into codes
    /// of 16 bits.
    @Test(arguments: names, isas)
    func fusedEqualsDense(name: String, isa: kl_isa) throws {
        for width in try Self.widths(name) {
            let store = try Store(name, width: width)
            store.encode(Self.rows(256, width: width, seed: 4), at: 0, isa: isa)
            let heads = 5
            let scratch = try AlignedBuffer(count: 256 * width, of: Float.self)
            var values = Self.rows(heads, width: width, seed: 5)
            var codes = [Int8](repeating: 0, count: heads * width)
            var scales = [Float](repeating: 0, count: heads * width / 64)
            var sums = scales
            kl_quantize_activations(isa, values, heads, width, width, &codes, &scales, &sums)
            // Dense scores on the same 8-bit queries, so that only the arithmetic on the rows can differ.
            for index in values.indices { values[index] = Float(codes[index]) * scales[index / 64] }
            let count = 201
            var fused = [Float](repeating: 0, count: heads * 256)
            var dense = fused
            codes.withUnsafeMutableBufferPointer { codes in
                scales.withUnsafeMutableBufferPointer { scales in
                    sums.withUnsafeMutableBufferPointer { sums in
                        let queries = DecodeQueries(
                            values: values,
                            quantized: QuantizedRows(
                                codes: codes.baseAddress!, scales: scales.baseAddress!, sums: sums.baseAddress!),
                            heads: heads, width: width)
                        store.layout.scheme.scores(
                            queries, store.segment, from: 17, count: count, into: &fused, stride: 256, scratch: scratch.bound(), isa: isa)
                        store.layout.scheme.denseScores(
                            queries, store.segment, from: 17, count: count, into: &dense, stride: 256, scratch: scratch.bound(), isa: isa)
                    }
                }
            }
            expectNear(fused, dense, 1e-4, "\(name) scores width \(width)")

            let weights = Self.rows(heads, width: 256, seed: 6).map(abs)
            var fusedSum = [Float](repeating: 1, count: heads * width)
            var denseSum = fusedSum
            store.layout.scheme.accumulate(
                weights, stride: 256, heads: heads, store.segment, from: 17, count: count, into: &fusedSum,
                scratch: scratch.bound(), isa: isa)
            store.layout.scheme.denseAccumulate(
                weights, stride: 256, heads: heads, store.segment, from: 17, count: count, into: &denseSum,
                scratch: scratch.bound(), isa: isa)
            expectNear(fusedSum, denseSum, 1e-3, "\(name) sums width \(width)")
        }
    }

    private func expectNear(_ a: [Float], _ b: [Float], _ tolerance: Float, _ what: String) {
        let scale = b.map(abs).max()!
        let worst = zip(a, b).map { abs($0 - $1) }.max()!
        #expect(worst <= tolerance * scale, "\(what): off by \(worst) of \(scale)")
    }

    /// Rows of zeros, of one value and with an outlier keep their meaning.
    @Test(arguments: names, isas)
    func specialRows(name: String, isa: kl_isa) throws {
        for width in try Self.widths(name) {
            let store = try Store(name, width: width)
            store.encode([Float](repeating: 0, count: width), at: 0, isa: isa)
            #expect(store.decode(0, 1, isa: isa).allSatisfy { $0 == 0 })
            store.encode([Float](repeating: 1.5, count: width), at: 1, isa: isa)
            #expect(store.decode(1, 1, isa: isa).allSatisfy { abs($0 - 1.5) < 0.01 })
            var outlier = [Float](repeating: 0.01, count: width)
            outlier[3] = 1000
            store.encode(outlier, at: 2, isa: isa)
            let back = store.decode(2, 1, isa: isa)
            #expect(abs(back[3] - 1000) < 5)
            #expect(back.allSatisfy { $0.isFinite })
        }
    }
}
