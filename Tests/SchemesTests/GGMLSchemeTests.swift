import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct GGMLSchemeTests {
    static let isas = SchemeConformanceTests.isas
    static let names = ["q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]

    private func stored(_ name: String, _ rows: [Float], width: Int, isa: kl_isa) throws -> [UInt8] {
        let layout = try SegmentLayout(scheme: try SchemeRegistry.scheme(named: name), width: width)
        let memory = try AlignedBuffer(byteCount: layout.byteCount)
        let count = rows.count / width
        let segment = layout.segment(at: memory.pointer)
        layout.scheme.encode(rows, count: count, stride: width, at: 0, into: segment, isa: isa)
        return Array(UnsafeRawBufferPointer(start: memory.pointer, count: count * layout.planes[0].bytesPerToken))
    }

    private func decoded(_ name: String, _ bytes: [UInt8], width: Int, isa: kl_isa) throws -> [Float] {
        let layout = try SegmentLayout(scheme: try SchemeRegistry.scheme(named: name), width: width)
        let memory = try AlignedBuffer(byteCount: layout.byteCount)
        memory.pointer.copyMemory(from: bytes, byteCount: bytes.count)
        let count = bytes.count / layout.planes[0].bytesPerToken
        return [Float](unsafeUninitializedCapacity: count * width) { out, filled in
            layout.scheme.decode(
                layout.segment(at: memory.pointer), from: 0, count: count, into: out.baseAddress!, isa: isa)
            filled = count * width
        }
    }

    /// Byte for byte, and bit for bit back. Tests/Fixtures/ggml/README.md says how the file was made; `make oracle` gives
    /// another.
    @Test(arguments: isas) func encodesAndDecodesLikeGGML(isa: kl_isa) throws {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")
        let folder = ProcessInfo.processInfo.environment["KVLAB_ORACLE"].map { URL(filePath: $0) } ?? fixtures
        var rest = [UInt8](try Data(contentsOf: folder.appending(path: "ggml/blocks.bin")))[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let width = 64
        let blockBytes = try Self.names.reduce(0) { $0 + (try SchemeRegistry.scheme(named: $1).bytesPerToken(width: width)) }
        let count = (rest.count - Self.names.count * 8 * width * 4) / (width * 4 + blockBytes)
        let rows = take(count * width * 4).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        var firstRows: [String: [UInt8]] = [:]
        for name in Self.names {
            let rowBytes = try SchemeRegistry.scheme(named: name).bytesPerToken(width: width)
            let golden = take(count * rowBytes)
            firstRows[name] = Array(golden.prefix(8 * rowBytes))
            let ours = try stride(from: 0, to: count, by: blockTokens).flatMap {
                try stored(name, Array(rows[$0 * width..<min($0 + blockTokens, count) * width]), width: width, isa: isa)
            }
            for row in 0..<count {
                let range = row * rowBytes..<(row + 1) * rowBytes
                #expect(ours[range] == golden[range], "\(name) row \(row)")
            }
        }
        for name in Self.names {
            let golden = take(8 * width * 4).withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
            let ours = try decoded(name, try #require(firstRows[name]), width: width, isa: isa)
            #expect(ours.map(\.bitPattern) == golden, "\(name)")
        }
        #expect(count >= 48 && rest.isEmpty)
    }

    /// Any bytes mean the same on every instruction set: d·q + m of what was stored, rounded once.
    @Test(arguments: names) func instructionSetsReadTheSame(name: String) throws {
        let width = 96
        let rowBytes = try SchemeRegistry.scheme(named: name).bytesPerToken(width: width)
        var bytes = [UInt8](repeating: 0, count: 256 * rowBytes)
        kl_random_bytes(9, 0, &bytes, bytes.count)
        let read = try Self.isas.map { isa in
            try decoded(name, bytes, width: width, isa: isa).map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
        }
        for other in read.dropFirst() { #expect(other == read[0]) }
    }

    /// A block with an infinity or NaN is NaN throughout, and its neighbours are not.
    @Test(arguments: names, isas) func aWildBlockIsNaN(name: String, isa: kl_isa) throws {
        for wild in [Float.nan, -.nan, .infinity, -.infinity] {
            var row = [Float](repeating: 1, count: 96)
            row[40] = wild
            let back = try decoded(name, try stored(name, row, width: 96, isa: isa), width: 96, isa: isa)
            #expect(back[32..<64].allSatisfy { $0.isNaN }, "\(wild)")
            let others = back[..<32] + back[64...]
            #expect(others.allSatisfy { abs($0 - 1) < 0.001 }, "\(wild)")
        }
    }

    /// Magnitudes so small that the inverse of the scale overflows are zeros.
    @Test(arguments: names, isas) func theSmallestRowsAreZero(name: String, isa: kl_isa) throws {
        let row = (0..<32).map { Float($0 - 9) * 0x1p-149 }
        let back = try decoded(name, try stored(name, row, width: 32, isa: isa), width: 32, isa: isa)
        #expect(back.allSatisfy { $0 == 0 })
    }

    @Test(arguments: zip(names, [8.5, 6, 5.5, 5, 4.5, 4.5])) func bitsPerElement(name: String, bits: Double) throws {
        for width in [32, 96, 128] {
            #expect(try SchemeRegistry.scheme(named: name).bitsPerElement(width: width) == bits)
        }
    }

    @Test(arguments: names) func widthsThatDoNotFitAreRefused(name: String) throws {
        let scheme = try SchemeRegistry.scheme(named: name)
        for width in [0, 16, 80] {
            #expect(throws: SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: 32)) {
                try scheme.planes(width: width)
            }
        }
    }
}
