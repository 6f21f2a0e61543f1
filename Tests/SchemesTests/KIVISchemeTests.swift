import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct KIVISchemeTests {
    /// Codes, scales, zeros and what they mean, as in the published quantizer. Tests/Fixtures/kivi/README.md says how the
    /// file was made.
    @Test(arguments: SchemeConformanceTests.isas)
    func encodesAndDecodesAsPublished(isa: kl_isa) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/kivi/rows.bin")
        var rest = [UInt8](try Data(contentsOf: file))[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let (tokens, width) = (128, 64)
        let rows = take(tokens * width * 4).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        for bits in [4, 2] {
            for kind in RowKind.allCases {
                let layout = try SegmentLayout(scheme: KIVIScheme(bits: bits, kind: kind), width: width)
                let memory = try AlignedBuffer(byteCount: layout.byteCount)
                let segment = layout.segment(at: memory.pointer)
                layout.scheme.encode(rows, count: tokens, stride: width, at: 0, into: segment, isa: isa)
                for (index, plane) in layout.planes.enumerated() {
                    let bytes = UnsafeRawBufferPointer(
                        start: segment.plane(index, token: 0, as: UInt8.self), count: plane.bytes(tokens: tokens))
                    #expect(take(bytes.count) == Array(bytes), "\(bits) bits, \(kind), \(plane.name)")
                }
                let golden = take(tokens * width * 4).withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
                var back = [Float](repeating: 0, count: tokens * width)
                layout.scheme.decode(segment, from: 0, count: tokens, into: &back, isa: isa)
                #expect(back.map(\.bitPattern) == golden, "\(bits) bits, \(kind)")
            }
        }
        #expect(rest.isEmpty)
    }

    /// A group with an infinity or NaN reads as NaN, and no other group does.
    @Test(arguments: [Float.nan, .infinity, -.infinity, 1e6])
    func whatIsNotFiniteShows(bad: Float) throws {
        for (kind, isBad) in [(RowKind.keys, { $1 == 5 } as (Int, Int) -> Bool), (.values, { $0 == 9 && $1 < 32 })] {
            let layout = try SegmentLayout(scheme: KIVIScheme(bits: 2, kind: kind), width: 64)
            let memory = try AlignedBuffer(byteCount: layout.byteCount)
            let segment = layout.segment(at: memory.pointer)
            var rows = (0..<(32 * 64)).map { Float($0 % 11) }
            rows[9 * 64 + 5] = bad
            layout.scheme.encode(rows, count: 32, stride: 64, at: 0, into: segment, isa: kl_isa_best())
            var back = [Float](repeating: 0, count: 32 * 64)
            layout.scheme.decode(segment, from: 0, count: 32, into: &back, isa: kl_isa_best())
            for row in 0..<32 {
                for column in 0..<64 { #expect(back[row * 64 + column].isNaN == isBad(row, column), "\(kind) \(row) \(column)") }
            }
        }
    }

    /// Keys are encoded 128 at a time, values one by one when 128 newer ones are there.
    @Test func residualWindows() throws {
        let keys = try SegmentLayout(scheme: KIVIScheme(bits: 4), width: 64)
        let values = try SegmentLayout(scheme: KIVIScheme(bits: 4).scheme(for: .values), width: 64)
        for (count, encodedKeys, encodedValues) in [(0, 0, 0), (127, 0, 0), (128, 128, 0), (129, 128, 1), (300, 256, 172)] {
            #expect(keys.encoded(at: count) == encodedKeys && values.encoded(at: count) == encodedValues)
        }
        #expect(keys.waitingRows == 129 && values.waitingRows == 130)
    }
}
