import CKernels
import Foundation
import Schemes
import Tensors
import Testing

/// What every scheme promises, checked for all of them on every instruction set of this machine.
@Suite struct SchemeConformanceTests {
    static let isas = [KL_SCALAR, KL_AVX2, KL_AVX512, KL_AMX, KL_NEON].filter { kl_isa_supported($0) }
    /// Every scheme, and some of what wrappers make of them.
    static let names =
        SchemeRegistry.all.map(\.name) + [
            "hadamard-16(q8_0)", "hadamard-32(mxfp4)", "hadamard-64(affine-q4-g64)", "hadamard-128(affine-q2-g128)",
            "hadamard-32(hadamard-64(q4_0))", "hadamard-64(kivi-2)", "mixed(random,64,affine-q4-g64,affine-q2-g64)",
            "mixed(saliency,77,q8_0,q4_0)", "mixed(uniform,1,fp8-e4m3,turboquant-2)",
            "hadamard-64(mixed(sink+recency,33,affine-q4-g32,mxfp4))", "queries-q8_0(q4_0)", "hadamard-64(queries-q8_0(q8_0))", "pairs(q4_0)",
        ]
    static let widths = [64, 128, 256, 576]

    /// A segment with its memory.
    private struct Store {
        let layout: SegmentLayout
        let memory: AlignedBuffer
        var segment: Segment { layout.segment(at: memory.pointer) }

        init(_ name: String, width: Int, kind: RowKind = .keys) throws {
            layout = try SegmentLayout(scheme: try SchemeConformanceTests.scheme(name).scheme(for: kind), width: width)
            memory = try AlignedBuffer(byteCount: layout.byteCount)
        }

        init(layout: SegmentLayout, memory: AlignedBuffer) {
            self.layout = layout
            self.memory = memory
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

    /// A scheme that needs a calibration has that of the tests.
    private static func scheme(_ name: String) throws -> any KVScheme {
        let scheme = try SchemeRegistry.scheme(named: name)
        return scheme.needsCalibration ? try scheme.calibrated(by: KVQuantSchemeTests.source) : scheme
    }

    /// Widths that a scheme takes.
    private static func widths(_ name: String) throws -> [Int] {
        let scheme = try scheme(name)
        return widths.filter { (try? scheme.planes(width: $0)) != nil }
    }

    /// Stores of keys and of values, of every width that the scheme takes.
    private static func stores(_ name: String) throws -> [Store] {
        try widths(name).flatMap { width in try RowKind.allCases.map { try Store(name, width: width, kind: $0) } }
    }

    /// A segment takes exactly 256 times what a token takes, and every plane starts on a cache line.
    @Test(arguments: names)
    func bytesAreExact(name: String) throws {
        for store in try Self.stores(name) {
            #expect(Double(store.layout.byteCount) == 32 * Double(store.layout.width)
                * (try store.layout.scheme.bitsPerElement(width: store.layout.width)))
            #expect(store.layout.byteCount % 64 == 0)
            for plane in store.layout.planes { #expect(plane.segmentBytes % 64 == 0) }
        }
    }

    /// Encoding a segment writes no byte outside of it, and the planes fill it.
    @Test(arguments: names, isas)
    func bytesStayInside(name: String, isa: kl_isa) throws {
        for store in try Self.stores(name) {
            let bytes = store.layout.byteCount
            let memory = try AlignedBuffer(byteCount: bytes + 256)
            memset(memory.pointer, 0xA5, bytes + 256)
            store.layout.scheme.encode(
                Self.rows(256, width: store.layout.width), count: 256, stride: store.layout.width, at: 0,
                into: store.layout.segment(at: memory.pointer + 128), isa: isa)
            let all = Array(UnsafeRawBufferPointer(start: memory.pointer, count: bytes + 256))
            #expect(all[..<128].allSatisfy { $0 == 0xA5 } && all[(128 + bytes)...].allSatisfy { $0 == 0xA5 })
        }
    }

    /// |x − x̂| is at most what the scheme's definition allows.
    @Test(arguments: names, isas)
    func errorIsBounded(name: String, isa: kl_isa) throws {
        for store in try Self.stores(name) {
            let width = store.layout.width
            let rows = Self.rows(256, width: width)
            store.encode(rows, at: 0, isa: isa)
            let back = store.decode(0, 256, isa: isa)
            let bound = try #require(SchemeBounds.bound(of: store.layout.scheme), "a row in SchemeBounds")
            let tile = store.layout.tileTokens
            for row in stride(from: 0, to: 256, by: tile) {
                let range = row * width..<(row + tile) * width
                let bounds = bound(Array(rows[range]), width)
                let worst = zip(zip(rows[range], back[range]), bounds).map { abs($0.0 - $0.1) - $1 }.max()!
                #expect(worst <= 0, "\(name) width \(width) row \(row)")
            }
        }
    }

    /// Rows may come in any pieces; a row does not touch its neighbours.
    @Test(arguments: names, isas)
    func piecesDoNotMatter(name: String, isa: kl_isa) throws {
        for whole in try Self.stores(name) {
            let width = whole.layout.width
            let rows = Self.rows(256, width: width, seed: 2)
            whole.encode(rows, at: 0, isa: isa)
            let memory = try AlignedBuffer(byteCount: whole.layout.byteCount)
            let pieces = Store(layout: whole.layout, memory: memory)
            let tile = whole.layout.tileTokens
            for (start, end) in tile == 1 ? [(100, 256), (0, 1), (1, 37), (37, 100)] : [(128, 256), (0, tile), (tile, 128)]
            where start < end {
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
        for store in try Self.stores(name) {
            let rows = Self.rows(256, width: store.layout.width, seed: 3)
            let stored = Self.isas.map { isa in
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
        for store in try Self.stores(name) {
            let width = store.layout.width
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
            // A rotated query is rounded to 8 bits once more where kernels take it so.
            let tolerance: Float = name.hasPrefix("hadamard-64(affine-q4-g64") ? 1e-2 : 1e-4
            expectNear(fused, dense, tolerance, "\(name) scores width \(width)")

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

    /// Schemes whose levels do not hold both ends of a block, so that even a row of one value is only within the bound.
    private static let coarse = ["mxfp4", "nvfp4", "turboquant", "hadamard", "kvquant"]

    /// Rows of zeros, of one value and with an outlier keep their meaning.
    @Test(arguments: names, isas)
    func specialRows(name: String, isa: kl_isa) throws {
        for store in try Self.stores(name) {
            let width = store.layout.width
            // The row, and the rest of its tile.
            let tile = store.layout.tileTokens
            func tiles(_ row: [Float]) -> [Float] { row + [Float](repeating: row[0], count: (tile - 1) * width) }
            let bound = try #require(SchemeBounds.bound(of: store.layout.scheme), "a row in SchemeBounds")
            let isCoarse = Self.coarse.contains { name.contains($0) }
            store.encode(tiles([Float](repeating: 0, count: width)), at: 0, isa: isa)
            #expect(store.decode(0, tile, isa: isa).allSatisfy { $0 == 0 })
            let constant = tiles([Float](repeating: 1.5, count: width))
            // Another tile; a segment holds two at least.
            store.encode(constant, at: tile, isa: isa)
            let allowed = isCoarse ? bound(constant, width)[0] : 0.01
            #expect(store.decode(tile, tile, isa: isa).allSatisfy { abs($0 - 1.5) <= allowed })
            var outlier = [Float](repeating: 0.01, count: width)
            outlier[3] = 1000
            store.encode(tiles(outlier), at: 0, isa: isa)
            let back = store.decode(0, tile, isa: isa)
            #expect(abs(back[3] - 1000) <= (isCoarse ? bound(tiles(outlier), width)[3] : 5))
            #expect(back.allSatisfy { $0.isFinite })
        }
    }

    /// Rows below the least normal number come back finite, and no further off than the largest of them by more than
    /// twice.
    @Test(arguments: names, isas)
    func subnormalRows(name: String, isa: kl_isa) throws {
        for store in try Self.stores(name) {
            let (width, tile) = (store.layout.width, store.layout.tileTokens)
            let rows = (0..<(tile * width)).map { Float(sign: $0 % 3 == 0 ? .minus : .plus, exponent: -149 + $0 % 22, significand: 1) }
            store.encode(rows, at: 0, isa: isa)
            let largest = rows.map(abs).max()!
            for (x, back) in zip(rows, store.decode(0, tile, isa: isa)) {
                // MLX's scale is 1e-7 at least.
                let allowed = name.contains("affine") ? 1e-6 : 2 * largest
                #expect(abs(x - back) <= allowed * (name.hasPrefix("hadamard") ? 16 : 1), "\(name) width \(width)")
            }
        }
    }

    /// A NaN or an infinity is read back as something that is not finite, and the tiles beside its own as if it were not
    /// there.
    @Test(arguments: names, isas)
    func wildRows(name: String, isa: kl_isa) throws {
        for store in try Self.stores(name) {
            let (width, tile) = (store.layout.width, store.layout.tileTokens)
            let tokens = min(3 * tile, 256)
            let calm = Self.rows(tokens, width: width, seed: 7)
            store.encode(calm, at: 0, isa: isa)
            let expected = store.decode(0, tokens, isa: isa)
            let (start, end) = (tile * width, 2 * tile * width)
            for wild in [Float.nan, .infinity, -.infinity] {
                var rows = calm
                rows[start + 40] = wild
                store.encode(rows, at: 0, isa: isa)
                let back = store.decode(0, tokens, isa: isa)
                #expect(!back[start + 40].isFinite, "\(name) width \(width) \(wild)")
                #expect(Array(back[..<start]) == Array(expected[..<start]))
                #expect(Array(back[end...]) == Array(expected[end...]))
            }
        }
    }
}
