import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct TurboQuantTests {
    /// Rows of independent normal elements, by the polar method.
    private static func normal(_ count: Int, seed: UInt64) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: count * 16)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
        return (0..<count).map { index in
            let u = (Double(words[2 * index] >> 11) + 0.5) * 0x1p-53
            let v = Double(words[2 * index + 1] >> 11) * 0x1p-53
            return Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
        }
    }

    private static func stored(_ name: String, _ rows: [Float], width: Int) throws -> [Float] {
        let layout = try SegmentLayout(scheme: try SchemeRegistry.scheme(named: name), width: width)
        let memory = try AlignedBuffer(byteCount: layout.byteCount)
        let segment = layout.segment(at: memory.pointer)
        let count = rows.count / width
        layout.scheme.encode(rows, count: count, stride: width, at: 0, into: segment, isa: KL_SCALAR)
        return [Float](unsafeUninitializedCapacity: rows.count) { out, filled in
            layout.scheme.decode(segment, from: 0, count: count, into: out.baseAddress!, isa: KL_SCALAR)
            filled = rows.count
        }
    }

    /// Share of ‖x‖² that is lost: the distortion of the Lloyd–Max quantizer of a normal distribution; of prod, that of one
    /// bit less times π/2 − 1, what QJL loses of a residual.
    private static let losses: [(name: String, loss: Double)] = [
        ("turboquant-2", 0.1175), ("turboquant-3", 0.03454), ("turboquant-4", 0.009497),
        ("turboquant-prod-2", 0.3634 * 0.5708), ("turboquant-prod-3", 0.1175 * 0.5708),
        ("turboquant-prod-4", 0.03454 * 0.5708),
    ]

    @Test(arguments: losses)
    func lossIsThatOfTheory(name: String, loss: Double) throws {
        for width in [128, 192, 256] {
            let rows = Self.normal(256 * width, seed: 11)
            let back = try Self.stored(name, rows, width: width)
            let lost = zip(rows, back).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            let all = rows.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(lost / all / loss - 1) < 0.05, "\(name) width \(width): \(lost / all)")
        }
    }

    /// Scalar products with what mse stores come out too small, as the levels are means: by its loss. Those with what prod
    /// stores do not.
    @Test func productsOfProdHaveNoBias() throws {
        let width = 128
        let rows = Self.normal(256 * width, seed: 12)
        func slope(_ name: String) throws -> Double {
            let back = try Self.stored(name, rows, width: width)
            let products = zip(rows, back).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            return products / rows.reduce(0.0) { $0 + Double($1) * Double($1) }
        }
        #expect(abs(try slope("turboquant-2") - (1 - 0.1175)) < 0.01)
        #expect(abs(try slope("turboquant-prod-2") - 1) < 0.01)
    }

    /// Rotations keep lengths and are undone; a lone outlier is spread over the row, in blocks over its block.
    @Test(arguments: [64, 128, 192, 576])
    func rotationsAreOrthonormal(width: Int) {
        for rotation in [Rotation.random(seed: 3), .hadamard(block: 64)] {
            let row = Self.normal(width, seed: 13)
            var rotated = row
            rotation.apply(&rotated, count: 1, width: width, isa: KL_SCALAR)
            func length(_ x: [Float]) -> Double { x.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
            #expect(abs(length(rotated) / length(row) - 1) < 1e-5)
            #expect(zip(row, rotated).contains { abs($0 - $1) > 0.1 })
            rotation.undo(&rotated, count: 1, width: width, isa: KL_SCALAR)
            #expect(zip(row, rotated).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        var outlier = [Float](repeating: 0, count: width)
        outlier[7] = 1
        Rotation.random(seed: 3).apply(&outlier, count: 1, width: width, isa: KL_SCALAR)
        let spread = Float(width).squareRoot()
        #expect(outlier.allSatisfy { abs($0) < 3.5 / spread } && outlier.contains { abs($0) > 0.3 / spread })
    }

    /// The transform by its definition: entry (i, j) is −1 to the number of bits that i and j share, over √B.
    @Test(arguments: SchemeConformanceTests.isas) func hadamardByItsDefinition(isa: kl_isa) {
        for block in [2, 16, 32, 64, 128, 256] {
            let x = Self.normal(2 * block, seed: 14)
            var transformed = x
            kl_hadamard(isa, &transformed, x.count, block)
            for start in [0, block] {
                for i in 0..<block {
                    let sum = (0..<block).reduce(0.0) {
                        $0 + Double(x[start + $1]) * ((i & $1).nonzeroBitCount % 2 == 0 ? 1 : -1)
                    }
                    #expect(abs(Double(transformed[start + i]) - sum / Double(block).squareRoot()) < 1e-5)
                }
            }
        }
    }
}
