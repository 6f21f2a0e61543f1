import CKernels
import Foundation
import Schemes
import Testing

@Suite struct QueryRoundingSchemeTests {
    private static let width = 64
    private static let rows: [Float] = (0..<(3 * width)).map { sin(Float($0) * 1.7) * ($0 % 64 == 5 ? 20 : 1) }

    private func rounded(_ name: String, _ rows: [Float]) throws -> [Float] {
        let scheme = try SchemeRegistry.scheme(named: name)
        #expect(scheme.roundsQueries)
        var rows = rows
        scheme.roundQueries(&rows, count: 3, width: Self.width, isa: KL_SCALAR)
        return rows
    }

    /// Blocks of 32, 127 steps of the largest magnitude; the scale has 11 significant bits.
    @Test func blocksOfThirtyTwo() throws {
        let found = try rounded("queries-q8_0(q4_0)", Self.rows)
        for start in stride(from: 0, to: found.count, by: 32) {
            let block = Self.rows[start..<start + 32]
            let step = block.map(abs).max()! / 127
            let scale = Float(Float16(step))
            for index in block.indices {
                #expect(abs(found[index] - scale * (block[index] / step).rounded()) <= 1e-6)
            }
        }
        #expect(found != Self.rows)
    }

    /// Around it a rotation rounds what is rotated, and gives back what is not.
    @Test func withinARotation() throws {
        let rotation = Rotation.hadamard(block: 64)
        var expected = Self.rows
        rotation.apply(&expected, count: 3, width: Self.width, isa: KL_SCALAR)
        expected = try rounded("queries-q8_0(q8_0)", expected)
        rotation.undo(&expected, count: 3, width: Self.width, isa: KL_SCALAR)
        let found = try rounded("hadamard-64(queries-q8_0(q8_0))", Self.rows)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-6 })
        #expect(zip(found, try rounded("queries-q8_0(q8_0)", Self.rows)).contains { abs($0 - $1) > 1e-3 })
        #expect(try !SchemeRegistry.scheme(named: "hadamard-64(q8_0)").roundsQueries)
    }

    /// Another order, and back.
    @Test func pairs() {
        var row: [Float] = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17]
        let source = row
        Rotation.pairs.apply(&row, count: 2, width: 8, isa: KL_SCALAR)
        #expect(row == [0, 4, 1, 5, 2, 6, 3, 7, 10, 14, 11, 15, 12, 16, 13, 17])
        Rotation.pairs.undo(&row, count: 2, width: 8, isa: KL_SCALAR)
        #expect(row == source)
    }

    @Test func storesWhatItIsAround() throws {
        let scheme = try SchemeRegistry.scheme(named: "queries-q8_0(q4_0)")
        #expect(try scheme.planes(width: 64) == SchemeRegistry.scheme(named: "q4_0").planes(width: 64))
        #expect(throws: SchemeError.widthNotGrouped(scheme: "queries-q8_0(fp16)", width: 48, groupSize: 32)) {
            try SchemeRegistry.scheme(named: "queries-q8_0(fp16)").planes(width: 48)
        }
    }
}
