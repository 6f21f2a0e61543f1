import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct ZipCacheSchemeTests {
    /// Rows come back as from the published quantizers. Tests/Fixtures/zipcache/README.md says how the file was made.
    @Test(arguments: SchemeConformanceTests.isas)
    func encodesAndDecodesAsPublished(isa: kl_isa) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/zipcache/rows.bin")
        let (tokens, width) = (128, 64)
        let data = [UInt8](try Data(contentsOf: file))
        try #require(data.count == tokens + 3 * tokens * width * 4)
        let saliency = data.prefix(tokens).map(Float.init)
        let parts = data.dropFirst(tokens).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let rows = Array(parts.prefix(tokens * width))
        for (index, kind) in RowKind.allCases.enumerated() {
            let layout = try SegmentLayout(scheme: ZipCacheScheme(kind: kind), width: width)
            let memory = try AlignedBuffer(byteCount: layout.byteCount)
            var segment = layout.segment(at: memory.pointer)
            var back = [Float](repeating: 0, count: tokens * width)
            for token in [0, 128] {
                saliency.withUnsafeBufferPointer {
                    segment.saliency = $0.baseAddress
                    layout.scheme.encode(rows, count: tokens, stride: width, at: token, into: segment, isa: isa)
                }
                layout.scheme.decode(segment, from: token, count: tokens, into: &back, isa: isa)
                let golden = parts.dropFirst((1 + index) * tokens * width).prefix(tokens * width)
                #expect(back.map(\.bitPattern) == golden.map(\.bitPattern), "\(kind)")
            }
        }
    }

    /// Bytes of a tile as the document says.
    @Test func bytesOfATile() throws {
        let codes = 16 + 77 * 32 + 51 * 16
        #expect(try ZipCacheScheme(kind: .keys).planes(width: 64).map(\.bytesPerTile) == [codes + 8 * 64])
        // Scales and zeros of 77 and of 51 tokens, each from a multiple of 8 bytes on, and all up to one of 32.
        #expect(try ZipCacheScheme(kind: .values).planes(width: 64).map(\.bytesPerTile) == [(codes + 2 * 160 + 2 * 104 + 31) / 32 * 32, 128])
    }
}
