import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct SmallFloatSchemeTests {
    static let isas = SchemeConformanceTests.isas
    static let names = ["fp8-e4m3", "fp8-e5m2", "mxfp4", "nvfp4", "nvfp4-row"]

    /// A golden file, read from its start.
    private struct Golden {
        private var rest: ArraySlice<UInt8>

        init() throws {
            let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")
            let folder = ProcessInfo.processInfo.environment["KVLAB_ORACLE"].map { URL(filePath: $0) } ?? fixtures
            rest = [UInt8](try Data(contentsOf: folder.appending(path: "formats/rows.bin")))[...]
        }

        var byteCount: Int { rest.count }

        mutating func bytes(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }

        mutating func words(_ count: Int) -> [UInt32] {
            bytes(count * 4).withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        }
    }

    /// Byte for byte, and bit for bit back. Tests/Fixtures/formats/README.md says how the file was made; `make oracle` gives
    /// another.
    @Test(arguments: isas) func encodesAndDecodesLikeTheirTypes(isa: kl_isa) throws {
        let width = 64
        var golden = try Golden()
        let layouts = try Self.names.map { try SegmentLayout(scheme: try SchemeRegistry.scheme(named: $0), width: width) }
        let rowBytes = layouts.reduce(0) { $0 + $1.planes.reduce(0) { $0 + $1.bytesPerToken } }
        let count = (golden.byteCount - 2 * 256 * 4) / (width * 4 * (1 + layouts.count) + rowBytes)
        #expect(count >= 48)
        let rows = golden.words(count * width).map { Float(bitPattern: $0) }
        var values: [[Float]] = []
        for layout in layouts {
            let memory = try AlignedBuffer(byteCount: layout.byteCount)
            let planes = layout.planes.map { golden.bytes(count * $0.bytesPerToken) }
            var back: [Float] = []
            for start in stride(from: 0, to: count, by: blockTokens) {
                let part = min(blockTokens, count - start)
                let segment = layout.segment(at: memory.pointer)
                layout.scheme.encode(
                    Array(rows[start * width..<(start + part) * width]), count: part, stride: width, at: 0, into: segment,
                    isa: isa)
                for (index, plane) in layout.planes.enumerated() {
                    for row in 0..<part {
                        let ours = UnsafeBufferPointer(
                            start: segment.plane(index, token: row, as: UInt8.self), count: plane.bytesPerToken)
                        let first = (start + row) * plane.bytesPerToken
                        #expect(
                            Array(ours) == Array(planes[index][first..<first + plane.bytesPerToken]),
                            "\(layout.scheme.name), \(plane.name) of row \(start + row)")
                    }
                }
                back += [Float](unsafeUninitializedCapacity: part * width) { out, filled in
                    layout.scheme.decode(segment, from: 0, count: part, into: out.baseAddress!, isa: isa)
                    filled = part * width
                }
            }
            values.append(back)
        }
        for (layout, back) in zip(layouts, values) {
            let expected = golden.words(count * width)
            for row in 0..<count {
                let range = row * width..<(row + 1) * width
                // −0 and 0 are one value.
                #expect(
                    back[range].map { $0 == 0 ? 0 : $0.bitPattern } == expected[range].map { $0 << 1 == 0 ? 0 : $0 },
                    "\(layout.scheme.name), row \(row)")
            }
        }
        for name in Self.names.prefix(2) {
            let expected = golden.words(256)
            #expect(try codes(of: name, isa).map { $0.isNaN ? 0 : $0.bitPattern }
                == expected.map { Float(bitPattern: $0).isNaN ? 0 : $0 }, "\(name)")
        }
        #expect(golden.byteCount == 0)
    }

    /// The values of all 256 codes under a scale of 1, NaN and infinities included.
    private func codes(of name: String, _ isa: kl_isa) throws -> [Float] {
        let layout = try SegmentLayout(scheme: try SchemeRegistry.scheme(named: name), width: 256)
        let memory = try AlignedBuffer(byteCount: layout.byteCount)
        let segment = layout.segment(at: memory.pointer)
        for code in 0..<256 { segment.plane(0, token: 0, as: UInt8.self)[code] = UInt8(code) }
        segment.plane(1, token: 0, as: Float.self).pointee = 1
        return [Float](unsafeUninitializedCapacity: 256) { out, filled in
            layout.scheme.decode(segment, from: 0, count: 1, into: out.baseAddress!, isa: isa)
            filled = 256
        }
    }
}
