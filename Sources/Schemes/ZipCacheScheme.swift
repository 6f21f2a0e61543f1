import CKernels

/// ZipCache: of every 128 tokens the 77 (60 %) that probe rows attend to the most in 4 bits, the other 51 in 2.
///
/// - Keys: x ≈ scale·q + zero for each channel, over the tokens of one precision in the tile. Values: the same for each token,
///   after each channel was divided by the root of its largest magnitude in the tile ("channel-separable").
/// - Layout: the tile of ``MixedScheme``; of values then the roots, `width` for each tile, in IEEE f16.
/// - Variant: the original decides once for a whole prompt, and again every 100 tokens; here it is every 128 tokens, in prompts
///   too, since blocks are never written again. Its probe rows are of the whole context, here of the tile. Its values have one
///   range for all heads of a token, here one for each.
/// - Source: https://arxiv.org/abs/2405.14256, algorithms 1 and 2, and https://github.com/ThisisBillhe/ZipCache, whose numbers in
///   half precision these are; held by `ZipCacheSchemeTests`.
public struct ZipCacheScheme: KVScheme {
    /// 60 % of a tile.
    private static let salientTokens = 77

    public let kind: RowKind
    /// Both precisions of a tile.
    private let mixed: MixedScheme

    public init(kind: RowKind = .keys) {
        self.kind = kind
        func tokens(_ bits: Int, _ count: Int) -> ZipCacheTokens { ZipCacheTokens(bits: bits, tokens: count, kind: kind) }
        mixed = MixedScheme(
            name: "zipcache", summary: "", policy: SaliencyController(), fineTokens: Self.salientTokens,
            fine: tokens(4, Self.salientTokens), coarse: tokens(2, MixedScheme.tile - Self.salientTokens))
    }

    public var name: String { "zipcache" }

    public var summary: String {
        "ZipCache: of 128 tokens the 77 that probe rows attend to the most in 4 bits, the others in 2; keys per channel"
    }

    public var tileTokens: Int { mixed.tileTokens }
    public var residual: ResidualWindow { mixed.residual }
    public var readsAttention: Bool { true }
    public func scheme(for kind: RowKind) -> any KVScheme { ZipCacheScheme(kind: kind) }

    public func planes(width: Int) throws -> [Plane] {
        let tokens = try mixed.planes(width: width)
        return kind == .keys ? tokens : tokens + [Plane("roots", bytesPerTile: 2 * width, tileTokens: tileTokens)]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        guard kind == .values else {
            return mixed.encode(rows, count: count, stride: stride, at: token, into: segment, isa: isa)
        }
        let (width, tile) = (segment.width, tileTokens)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (tile + 1) * width) { floats in
            let (x, roots) = (floats.baseAddress!, floats.baseAddress! + tile * width)
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: tile * width) { halves in
                for start in Swift.stride(from: 0, to: count, by: tile) {
                    for row in 0..<tile { (x + row * width).update(from: rows + (start + row) * stride, count: width) }
                    kl_f32_to_half(isa, KL_F16, x, tile * width, halves.baseAddress!)
                    kl_half_to_f32(isa, KL_F16, halves.baseAddress!, tile * width, x)
                    let stored = segment.plane(1, token: token + start, as: UInt16.self)
                    Self.roots(x, rows: tile, width: width, into: roots)
                    kl_f32_to_half(isa, KL_F16, roots, width, stored)
                    kl_half_to_f32(isa, KL_F16, stored, width, roots)
                    for row in 0..<tile {
                        let values = x + row * width
                        // Where a channel is not finite, what is spoils neither its row nor other channels.
                        for column in 0..<width {
                            values[column] = roots[column].isNaN ? values[column] * 0 : values[column] / roots[column]
                        }
                    }
                    var part = segment
                    part.saliency = segment.saliency.map { $0 + start }
                    mixed.encode(x, count: tile, stride: width, at: token + start, into: part, isa: isa)
                }
            }
        }
    }

    /// The root of each channel's largest magnitude; 1 of a channel of zeros, NaN of one that is not finite.
    private static func roots(_ x: UnsafePointer<Float>, rows: Int, width: Int, into roots: UnsafeMutablePointer<Float>) {
        for column in 0..<width {
            var largest: Float = 0
            for row in 0..<rows {
                let size = abs(x[row * width + column])
                if !(size <= largest), !largest.isNaN { largest = size }
            }
            roots[column] = largest == 0 ? 1 : largest.isFinite ? largest.squareRoot() : .nan
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        mixed.decode(segment, from: token, count: count, into: out, isa: isa)
        guard kind == .values else { return }
        let width = segment.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { roots in
            for row in 0..<count {
                if row == 0 || (token + row) % tileTokens == 0 {
                    kl_half_to_f32(isa, KL_F16, segment.plane(1, token: token + row), width, roots.baseAddress!)
                }
                let values = out + row * width
                for column in 0..<width { values[column] *= roots[column] }
            }
        }
    }
}

/// The tokens of one precision in a tile of ZipCache: ranges of channels for keys, of tokens for values.
struct ZipCacheTokens: KVScheme {
    let bits: Int
    /// Tokens that are encoded together.
    let tokens: Int
    let kind: RowKind

    private static let groupSize = 32

    let name = "zipcache"
    let summary = ""
    var tileTokens: Int { kind == .keys ? tokens : 1 }

    func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.groupSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.groupSize)
        }
        let bytes = kind == .keys ? 2 * width : 2
        return [
            Plane("codes", bytesPerToken: width * bits / 8),
            Plane("scales", bytesPerTile: bytes, tileTokens: tileTokens),
            Plane("zeros", bytesPerTile: bytes, tileTokens: tileTokens),
        ]
    }

    func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        precondition(token == 0 && count == tokens, "all tokens of a precision at once")
        let width = segment.width
        let quantizer = Quantizer(bits: bits, isa: isa)
        // Keys at once, values row by row.
        let part = tileTokens
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (part + 2) * width) { floats in
            let (x, zeros, scales) = (
                floats.baseAddress!, floats.baseAddress! + part * width, floats.baseAddress! + (part + 1) * width
            )
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: part * width) { halves in
                let halves = halves.baseAddress!
                for start in Swift.stride(from: 0, to: count, by: part) {
                    for row in 0..<part { (x + row * width).update(from: rows + (start + row) * stride, count: width) }
                    quantizer.round(x, part * width, halves)
                    if kind == .keys {
                        quantizer.rangesOfColumns(x, rows: part, width: width, zeros: zeros, scales: scales)
                    } else {
                        quantizer.rangesOfGroups(x, width: width, group: width, zeros: zeros, scales: scales)
                    }
                    quantizer.finishRanges(zeros: zeros, scales: scales, width, halves)
                    let numbers = kind == .keys ? width : 1
                    kl_f32_to_half(isa, KL_F16, scales, numbers, segment.plane(1, token: start))
                    kl_f32_to_half(isa, KL_F16, zeros, numbers, segment.plane(2, token: start))
                    quantizer.codes(x, rows: part, width: width, zeros: zeros, scales: scales, halves)
                    for row in 0..<part { quantizer.pack(x + row * width, width, into: segment.plane(0, token: start + row)) }
                }
            }
        }
    }

    func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let width = segment.width
        Quantizer(bits: bits, isa: isa).unpack(segment.plane(0, token: token), count * width, into: out)
        // One for each channel, or for each token.
        let numbers = kind == .keys ? width : count
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * numbers) { floats in
            let (scales, zeros) = (floats.baseAddress!, floats.baseAddress! + numbers)
            kl_half_to_f32(isa, KL_F16, segment.plane(1, token: token), numbers, scales)
            kl_half_to_f32(isa, KL_F16, segment.plane(2, token: token), numbers, zeros)
            for row in 0..<count {
                let values = out + row * width
                // A code times a scale of 11 bits is exact.
                if kind == .keys {
                    for column in 0..<width { values[column] = values[column] * scales[column] + zeros[column] }
                } else {
                    for column in 0..<width { values[column] = values[column] * scales[row] + zeros[row] }
                }
            }
        }
    }
}
