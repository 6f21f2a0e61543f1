import Foundation
import Tensors
import Testing

@Suite struct GGMLTypeTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/checkpoints").standardized.path

    /// Equal bit for bit to gguf.quants.dequantize; see make_checkpoints.py, gguf_types.
    @Test(arguments: GGMLType.readable) func dequantizes(type: GGMLType) throws {
        let file = try GGUFFile(path: Self.fixtures + "/types.gguf")
        let golden = try SafetensorsFile(path: Self.fixtures + "/types.safetensors")
        let tensor = try file.tensor(type.name)
        #expect(tensor.type == type && tensor.dimensions == [256, 3] && tensor.rows == 3)
        let entry = try golden.entry(type.name)
        #expect(entry.dtype == .f32 && entry.shape == [3, 256])
        let expected = (0..<768).map { golden.bytes(of: entry).loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
        var values = [Float](repeating: .nan, count: 768)
        type.dequantize(file.bytes(of: tensor).baseAddress!, count: 768, into: &values)
        #expect(values.map(\.bitPattern) == expected)
    }

    /// Blocks are read at any address, and nothing beside them.
    @Test(arguments: GGMLType.readable) func readsBlocksAnywhere(type: GGMLType) throws {
        let file = try GGUFFile(path: Self.fixtures + "/types.gguf")
        let bytes = Array(file.bytes(of: try file.tensor(type.name)))
        var expected = [Float](repeating: 0, count: 768)
        type.dequantize(bytes, count: 768, into: &expected)
        for shift in 1...3 {
            withGuardedBytes([UInt8](repeating: 0xff, count: shift) + bytes) {
                var values = [Float](repeating: 0, count: 768)
                type.dequantize($0.baseAddress! + shift, count: 768, into: &values)
                #expect(values == expected)
            }
        }
    }

    @Test func halvesOfAllKinds() {
        let halves: [UInt16] = [0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00]
        var values = [Float](repeating: 0, count: halves.count)
        GGMLType.f16.dequantize(halves, count: halves.count, into: &values)
        for (half, value) in zip(halves, values) {
            let sign: Float = half & 0x8000 == 0 ? 1 : -1
            let exponent = Int(half >> 10 & 31)
            let fraction = Float(half & 0x3ff) / 1024
            switch exponent {
            case 0: #expect(value == sign * fraction * 0x1p-14 && (value.sign == .minus) == (sign < 0))
            case 31: #expect(fraction == 0 ? value == sign * .infinity : value.isNaN)
            default:
                #expect(value == sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1))
            }
        }
    }

    @Test func namesAndBlocks() {
        #expect(GGMLType.q4_K.name == "Q4_K" && GGMLType.f32.name == "F32" && GGMLType.iq2_xxs.name == "IQ2_XXS")
        for type in GGMLType.readable { #expect(256 % type.block.elements == 0) }
    }
}
