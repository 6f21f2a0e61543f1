import CKernels
import Schemes
import Tensors
import Testing

@Suite struct MixedSchemeTests {
    private func mixed(_ policy: String, _ fine: Int, _ x: String = "affine-q4-g64", _ y: String = "affine-q2-g64") throws -> MixedScheme {
        try #require(try SchemeRegistry.scheme(named: "mixed(\(policy),\(fine),\(x),\(y))") as? MixedScheme)
    }

    /// The budget is kept to the token, and policies choose what they say.
    @Test func policiesChooseWhatTheySay() throws {
        let saliency = (0..<128).map { Float(($0 * 37) % 128) }
        for policy in ["uniform", "random", "recency", "sink+recency", "saliency"] {
            for fine in [1, 64, 77, 127] {
                for position in [0, 128, 4096] {
                    #expect(try mixed(policy, fine).chosen(at: position, saliency: saliency).count { $0 } == fine)
                }
            }
        }
        func tokens(_ policy: String, at position: Int, _ saliency: [Float]? = nil) throws -> [Int] {
            let isFine = try mixed(policy, 8).chosen(at: position, saliency: saliency)
            return isFine.indices.filter { isFine[$0] }
        }
        #expect(try tokens("recency", at: 0) == Array(120..<128))
        #expect(try tokens("sink+recency", at: 0) == [0, 1, 2, 3, 124, 125, 126, 127])
        #expect(try tokens("sink+recency", at: 256) == Array(120..<128))
        #expect(try tokens("random", at: 0) == tokens("random", at: 0) && tokens("random", at: 0) != tokens("random", at: 128))
        #expect(try tokens("saliency", at: 128, saliency) == saliency.indices.filter { saliency[$0] >= 120 })
        // One in each sixteenth.
        let even = try tokens("uniform", at: 0)
        #expect(zip(even, even.dropFirst()).allSatisfy { (8...24).contains($1 - $0) })
    }

    /// Each token is what its own scheme makes of it, in every policy, and the bytes are those of both and a bit for each token.
    @Test(arguments: ["random", "saliency"], SchemeConformanceTests.isas)
    func tokensHaveTheirPrecision(policy: String, isa: kl_isa) throws {
        let width = 64
        let rows = (0..<(256 * width)).map { index in Float((index * 7919) % 1009) / 100 - 5 }
        let saliency = (0..<128).map { Float(($0 * 37) % 128) }
        func read(_ scheme: any KVScheme, at position: Int) throws -> [Float] {
            let layout = try SegmentLayout(scheme: scheme, width: width)
            let memory = try AlignedBuffer(byteCount: layout.byteCount)
            var segment = layout.segment(at: memory.pointer)
            segment.firstPosition = position
            return saliency.withUnsafeBufferPointer { saliency in
                segment.saliency = saliency.baseAddress
                for token in [0, 128] {
                    rows.withUnsafeBufferPointer {
                        scheme.encode($0.baseAddress! + token * width, count: 128, stride: width, at: token, into: segment, isa: isa)
                    }
                }
                var out = [Float](repeating: 0, count: 256 * width)
                scheme.decode(segment, from: 0, count: 256, into: &out, isa: isa)
                return out
            }
        }
        let scheme = try mixed(policy, 48, "fp8-e4m3", "affine-q2-g64")
        let (fine, coarse) = (try read(scheme.fine, at: 0), try read(scheme.coarse, at: 0))
        for position in [0, 1024] {
            let found = try read(scheme, at: position)
            let chosen = scheme.chosen(at: position, saliency: saliency) + scheme.chosen(at: position + 128, saliency: saliency)
            for row in 0..<256 {
                let range = (row * width)..<((row + 1) * width)
                #expect(found[range] == (chosen[row] ? fine : coarse)[range], "row \(row)")
            }
        }
        // 16 bytes of bits; rows of 64 codes and a scale in 32 bits; rows of 16 bytes of codes, a scale and a bias in 16 bits;
        // up to a multiple of 32.
        #expect(try scheme.planes(width: width).map(\.bytesPerTile) == [16 + 48 * 68 + 80 * 20 + 16])
    }
}
