import CKernels
import Models
import Tensors
import Testing

/// Matrix products for every storage type, on every instruction set of this machine.
@Suite struct LinearTests {
    static let isas = [KL_SCALAR, KL_AVX2, KL_AVX512, KL_AMX, KL_NEON].filter { kl_isa_supported($0) }
    static let storages: [Linear.Storage] = [
        .dense(KL_DENSE_F32), .dense(KL_DENSE_F16), .dense(KL_DENSE_BF16), .affine8(KL_F16), .affine8(KL_BF16),
        .affine4(KL_F16), .affine4(KL_BF16),
    ]

    /// Numbers between −1 and 1 with 16 random bits.
    private static func floats(_ count: Int, seed: UInt64) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: count * 2)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        return (0..<count).map { (Float(bytes[2 * $0]) + Float(bytes[2 * $0 + 1]) / 256) / 128 - 1 }
    }

    /// A matrix filled in ranges that do not follow the panels.
    private static func matrix(_ storage: Linear.Storage, rows: Int, cols: Int) throws -> Linear {
        let linear = try Linear(rows: rows, cols: cols, storage: storage)
        let weights = floats(rows * cols, seed: 1)
        for range in [0..<1, 1..<19, 19..<min(rows, 64), min(rows, 64)..<rows] where !range.isEmpty {
            weights.withUnsafeBytes {
                linear.fill(
                    row: range.lowerBound, count: range.count, from: KL_DENSE_F32,
                    $0.baseAddress! + range.lowerBound * cols * 4, isa: KL_SCALAR)
            }
        }
        return linear
    }

    /// y [tokens, rows] and a row of guards behind it.
    private func product(_ linear: Linear, _ x: [Float], tokens: Int, compute: Compute, isa: kl_isa, finely: Bool = false) -> [Float] {
        let execution = Execution(workers: WorkerPool(threads: 1), isa: isa, compute: compute)
        var x = x
        var records = [UInt8](repeating: 0, count: Activations.recordBytes(rows: 2 * tokens, cols: linear.cols))
        var scales = [Float](repeating: 0, count: x.count / 32 + 2)
        var sums = scales
        var packed = [UInt16](repeating: 0, count: Activations.packedCount(rows: tokens, cols: linear.cols))
        let runs = [RowRun(rows: 0..<tokens, inTiles: execution.hasTiles)]
        var y = [Float](repeating: 77, count: (tokens + 1) * linear.rows)
        x.withUnsafeMutableBufferPointer { x in
            records.withUnsafeMutableBufferPointer { records in
                scales.withUnsafeMutableBufferPointer { scales in
                    sums.withUnsafeMutableBufferPointer { sums in
                        packed.withUnsafeMutableBufferPointer { packed in
                            let input = Activations(
                                values: x.baseAddress!, stride: linear.cols, records: records.baseAddress!,
                                scales: scales.baseAddress!, sums: sums.baseAddress!, packed: packed.baseAddress!)
                            execution.quantize(input, rows: 0..<tokens, cols: linear.cols, runs: runs)
                            if finely {
                                linear.applyFinely(input, runs: runs, into: &y, stride: linear.rows, on: execution)
                            } else {
                                linear.apply(input, runs: runs, into: &y, stride: linear.rows, on: execution)
                            }
                        }
                    }
                }
            }
        }
        #expect(y.suffix(linear.rows).allSatisfy { $0 == 77 })
        return Array(y.prefix(tokens * linear.rows))
    }

    /// The products of the dequantized rows, in 64 bits.
    private func exact(_ linear: Linear, _ x: [Float], tokens: Int) -> (y: [Double], size: [Double]) {
        var row = [Float](repeating: 0, count: linear.cols)
        var y = [Double](repeating: 0, count: tokens * linear.rows)
        var size = y
        for r in 0..<linear.rows {
            linear.dequantize(row: r, into: &row)
            for t in 0..<tokens {
                for c in 0..<linear.cols {
                    let term = Double(row[c]) * Double(x[t * linear.cols + c])
                    y[t * linear.rows + r] += term
                    size[t * linear.rows + r] += abs(term)
                }
            }
        }
        return (y, size)
    }

    /// Weights come back as they were put in, as far as the storage goes.
    @Test(arguments: storages)
    func rowsComeBack(storage: Linear.Storage) throws {
        let (rows, cols) = (83, 128)
        let linear = try Self.matrix(storage, rows: rows, cols: cols)
        let weights = Self.floats(rows * cols, seed: 1)
        let tolerance: Float =
            switch storage {
            case .dense(KL_DENSE_F32): 0
            case .dense(KL_DENSE_F16): 0x1p-11
            case .dense: 0x1p-8
            // A step, and the rounding of scale and bias.
            case .affine8(let half): 2.0 / 255 + (half == KL_F16 ? 0x1p-9 : 0x1p-6)
            case .affine4(let half): 2.0 / 15 + (half == KL_F16 ? 0x1p-9 : 0x1p-6)
            }
        var row = [Float](repeating: 0, count: cols)
        for r in 0..<rows {
            linear.dequantize(row: r, into: &row)
            let worst = zip(row, weights[(r * cols)...]).map { abs($0 - $1) }.max()!
            #expect(worst <= tolerance, "row \(r)")
        }
    }

    /// f32 activations: within the rounding of an f32 sum, whatever the number of tokens.
    @Test(arguments: storages, isas)
    func referenceProducts(storage: Linear.Storage, isa: kl_isa) throws {
        for cols in [64, 192, 320] + ([37, 130].filter { Linear.canHold(cols: $0, storage) }) {
            let linear = try Self.matrix(storage, rows: 83, cols: cols)
            let x = Self.floats(70 * cols, seed: 2)
            let (exact, size) = exact(linear, x, tokens: 70)
            let all = product(linear, x, tokens: 70, compute: .reference, isa: isa)
            #expect(exact.indices.allSatisfy { abs(Double(all[$0]) - exact[$0]) <= size[$0] * Double(cols) * 0x1p-24 })
            for tokens in [1, 2, 3, 5, 11] {
                let some = product(linear, Array(x.prefix(tokens * cols)), tokens: tokens, compute: .reference, isa: isa)
                #expect(some == Array(all.prefix(tokens * linear.rows)), "\(tokens) tokens, \(cols) columns")
            }
        }
    }

    /// 8-bit activations, or tiles of bfloat16: what the rounding costs, and no more; the same whatever the number of
    /// tokens.
    @Test(arguments: storages, isas)
    func fastProducts(storage: Linear.Storage, isa: kl_isa) throws {
        let cols = 320
        let linear = try Self.matrix(storage, rows: 83, cols: cols)
        let x = Self.floats(300 * cols, seed: 3)
        let (exact, size) = exact(linear, x, tokens: 300)
        let all = product(linear, x, tokens: 300, compute: .fast, isa: isa)
        // Codes of a group are off by half a step of 1/127 of its largest element.
        // In tiles, weights and activations are off by 2^-9 each.
        let rounding = isa == KL_AMX ? 0x1p-8 * 1.01 : 0.5 / 127 * 4
        let error = if case .dense = storage { Double(cols) * 0x1p-24 } else { rounding }
        #expect(exact.indices.allSatisfy { abs(Double(all[$0]) - exact[$0]) <= size[$0] * error })
        for tokens in [1, 2, 3, 5, 11] {
            let some = product(linear, Array(x.prefix(tokens * cols)), tokens: tokens, compute: .fast, isa: isa)
            #expect(some == Array(all.prefix(tokens * linear.rows)), "\(tokens) tokens")
        }
        guard isa != KL_AMX else { return }
        let scalar = product(linear, x, tokens: 300, compute: .fast, isa: KL_SCALAR)
        #expect(exact.indices.allSatisfy { abs(Double(all[$0] - scalar[$0])) <= size[$0] * Double(cols) * 0x1p-24 })
    }

    /// Two terms of 8 bits are off by half a step of 1/127 of half a step; in tiles and where weights are dense nothing is different.
    @Test(arguments: storages, isas)
    func fineProducts(storage: Linear.Storage, isa: kl_isa) throws {
        let cols = 320
        let linear = try Self.matrix(storage, rows: 83, cols: cols)
        let x = Self.floats(30 * cols, seed: 5)
        let (exact, size) = exact(linear, x, tokens: 30)
        let all = product(linear, x, tokens: 30, compute: .fast, isa: isa, finely: true)
        let isDense = if case .dense = storage { true } else { false }
        if isDense || isa == KL_AMX {
            #expect(all == product(linear, x, tokens: 30, compute: .fast, isa: isa))
        } else {
            let error = 0.5 / 127 * 4 * 0.5 / 127 + Double(cols) * 0x1p-24
            #expect(exact.indices.allSatisfy { abs(Double(all[$0]) - exact[$0]) <= size[$0] * error })
        }
        for tokens in [1, 2, 9] {
            let some = product(linear, Array(x.prefix(tokens * cols)), tokens: tokens, compute: .fast, isa: isa, finely: true)
            #expect(some == Array(all.prefix(tokens * linear.rows)), "\(tokens) tokens")
        }
    }

    /// Extremes of 8-bit codes do not saturate.
    @Test(arguments: isas)
    func extremeCodes(isa: kl_isa) throws {
        let linear = try Linear(rows: 16, cols: 64, storage: .affine8(KL_F16))
        let codes = [UInt8](repeating: 255, count: 16 * 64)
        let ones = [UInt16](repeating: 0x3c00, count: 16)
        linear.fill(row: 0, count: 16, codes: codes, scales: ones, biases: [UInt16](repeating: 0, count: 16))
        for value: Float in [127, -127] {
            let y = product(linear, [Float](repeating: value, count: 64), tokens: 1, compute: .fast, isa: isa)
            #expect(y == [Float](repeating: 64 * 255 * value, count: 16))
        }
    }

    /// MLX rows and dense rows of the same numbers are the same matrix; 16-bit types are copied bit by bit.
    @Test func filling() throws {
        let halves: [UInt16] = (0..<(3 * 40)).map { 0x3c00 + $0 }
        for type in [KL_DENSE_F16, KL_DENSE_BF16] {
            let linear = try Linear(rows: 3, cols: 40, storage: .dense(type))
            let wide = try Linear(rows: 3, cols: 40, storage: .dense(KL_DENSE_F32))
            linear.fill(row: 0, count: 3, from: type, halves, isa: KL_SCALAR)
            wide.fill(row: 0, count: 3, from: type, halves, isa: KL_SCALAR)
            var narrowRow = [Float](repeating: 0, count: 40)
            var wideRow = narrowRow
            for row in 0..<3 {
                linear.dequantize(row: row, into: &narrowRow)
                wide.dequantize(row: row, into: &wideRow)
                #expect(narrowRow == wideRow)
                #expect(narrowRow[7] == (type == KL_DENSE_F16
                    ? Float(Float16(bitPattern: halves[row * 40 + 7])) : Float(bitPattern: UInt32(halves[row * 40 + 7]) << 16)))
            }
        }
    }
}
