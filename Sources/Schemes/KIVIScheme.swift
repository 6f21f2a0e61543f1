import CKernels

/// KIVI: keys per channel, values per token, x ≈ scale·q + zero, q in 0 ..< 2^bits.
///
/// A group of keys is 32 tokens of one channel, and the newest rows wait in 16-bit floats until there are 128 of them. A
/// group of values is 32 channels of one token, and the last 128 rows wait. A group's zero is its least element, and its
/// scale is (max − min) / (2^bits − 1).
///
/// - Layout: codes, least significant bit first along the row, `width·bits/8` bytes a token; then scales and zeros in IEEE
///   f16: of keys `width` for each tile of 32 tokens, of values `width/32` a token. bits + 1 per element.
/// - Source: https://github.com/jy-yuan/KIVI (arXiv 2402.02750), `triton_quantize_and_pack_along_last_dim`, which rounds
///   every result to f16. Codes, scales and zeros are those; codes are packed along the row there too for values, and along
///   tokens for keys. Held by `KIVISchemeTests`.
public struct KIVIScheme: KVScheme {
    public let bits: Int
    public let kind: RowKind
    /// Elements of a group.
    public static let groupSize = 32
    /// Rows of the residual window.
    public static let residualTokens = 128

    public init(bits: Int, kind: RowKind = .keys) {
        precondition(bits == 2 || bits == 4)
        self.bits = bits
        self.kind = kind
    }

    public var name: String { "kivi-\(bits)" }

    public var summary: String {
        "KIVI, \(bits) bits, keys per channel over 32 tokens, values per token over 32 channels, newest 128 rows in fp16"
    }

    public var tileTokens: Int { kind == .keys ? Self.groupSize : 1 }

    public var residual: ResidualWindow {
        kind == .keys ? .whole(tokens: Self.residualTokens) : .rolling(tokens: Self.residualTokens)
    }

    public func scheme(for kind: RowKind) -> any KVScheme { KIVIScheme(bits: bits, kind: kind) }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.groupSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.groupSize)
        }
        let (bytes, tokens) = kind == .keys ? (width * 2, Self.groupSize) : (width / Self.groupSize * 2, 1)
        return [
            Plane("codes", bytesPerToken: width * bits / 8),
            Plane("scales", bytesPerTile: bytes, tileTokens: tokens),
            Plane("zeros", bytesPerTile: bytes, tileTokens: tokens),
        ]
    }

    // MARK: Encoding

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        let quantizer = Quantizer(bits: bits, isa: isa)
        // A tile of keys; of values a row.
        let tile = tileTokens
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (tile + 2) * width) { floats in
            let (x, zeros, scales) = (
                floats.baseAddress!, floats.baseAddress! + tile * width, floats.baseAddress! + (tile + 1) * width
            )
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: tile * width) { halves in
                for start in Swift.stride(from: 0, to: count, by: tile) {
                    for row in 0..<tile {
                        (x + row * width).update(from: rows + (start + row) * stride, count: width)
                    }
                    quantizer.round(x, tile * width, halves.baseAddress!)
                    // Every element of a row gets the zero and the scale of its group.
                    if kind == .keys {
                        quantizer.rangesOfColumns(x, rows: tile, width: width, zeros: zeros, scales: scales)
                    } else {
                        quantizer.rangesOfGroups(x, width: width, group: Self.groupSize, zeros: zeros, scales: scales)
                    }
                    quantizer.finishRanges(zeros: zeros, scales: scales, width, halves.baseAddress!)
                    put(zeros, plane: 2, at: token + start, segment, isa)
                    put(scales, plane: 1, at: token + start, segment, isa)
                    quantizer.codes(x, rows: tile, width: width, zeros: zeros, scales: scales, halves.baseAddress!)
                    for row in 0..<tile {
                        quantizer.pack(
                            x + row * width, width, into: segment.plane(0, token: token + start + row, as: UInt8.self))
                    }
                }
            }
        }
    }

    /// Stores what each element's group has.
    private func put(
        _ values: UnsafePointer<Float>, plane: Int, at token: Int, _ segment: Segment, _ isa: kl_isa
    ) {
        let out = segment.plane(plane, token: token, as: UInt16.self)
        guard kind == .values else { return kl_f32_to_half(isa, KL_F16, values, segment.width, out) }
        for group in 0..<(segment.width / Self.groupSize) {
            kl_f32_to_half(isa, KL_F16, values + group * Self.groupSize, 1, out + group)
        }
    }

    // MARK: Decoding

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let width = segment.width
        guard kind == .keys else {
            return kl_affine_decode(
                isa, Int32(bits), Int32(Self.groupSize), KL_F16, segment.plane(0, token: token),
                segment.plane(1, token: token), segment.plane(2, token: token), count, width, out, width)
        }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * width) { floats in
            let (scales, zeros) = (floats.baseAddress!, floats.baseAddress! + width)
            var row = 0
            while row < count {
                let part = min(count - row, Self.groupSize - (token + row) % Self.groupSize)
                kl_half_to_f32(isa, KL_F16, segment.plane(1, token: token + row), width, scales)
                kl_half_to_f32(isa, KL_F16, segment.plane(2, token: token + row), width, zeros)
                let target = out + row * width
                Quantizer(bits: bits, isa: isa).unpack(
                    segment.plane(0, token: token + row), part * width, into: target)
                for index in 0..<part {
                    let values = target + index * width
                    // A code times a scale of 11 bits is exact.
                    for column in 0..<width { values[column] = values[column] * scales[column] + zeros[column] }
                }
                row += part
            }
        }
    }
}
