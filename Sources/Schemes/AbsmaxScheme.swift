import CKernels

/// Symmetric codes of 4 bits: x ≈ scale·(q − 8), one scale for every 32 elements, the largest magnitude over 7.
///
/// - Layout: codes, the even element of a byte in its low half, `width/2` bytes a token; then scales in IEEE f16,
///   `width/32` a token. 4.5 bits per element.
/// - Error: half a scale, and what rounding the scale adds. A group with an infinity or NaN has scale NaN.
/// - Source: round-to-nearest with the absolute maximum, the baseline of most papers.
public struct AbsmaxScheme: KVScheme {
    /// Elements that share a scale.
    public static let groupSize = 32

    public init() {}

    public var name: String { "absmax-4" }

    public var summary: String { "symmetric 4-bit codes, scale max|x|/7 for 32 elements, in f16" }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.groupSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.groupSize)
        }
        return [
            Plane("codes", bytesPerToken: width / 2),
            Plane("scales", bytesPerToken: width / Self.groupSize * 2),
        ]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        for row in 0..<count {
            let codes = segment.plane(0, token: token + row, as: UInt8.self)
            let scales = segment.plane(1, token: token + row, as: UInt16.self)
            for group in 0..<(segment.width / Self.groupSize) {
                let x = rows + row * stride + group * Self.groupSize
                var scale = Self.scale(x)
                kl_f32_to_half(isa, KL_F16, &scale, 1, scales + group)
                kl_half_to_f32(isa, KL_F16, scales + group, 1, &scale)
                // A scale of 0 or NaN has codes 0.
                func code(_ index: Int) -> UInt8 {
                    scale > 0 ? UInt8(max(-7, min(7, (x[index] / scale).rounded(.toNearestOrEven))) + 8) : 8
                }
                for pair in 0..<(Self.groupSize / 2) {
                    codes[group * Self.groupSize / 2 + pair] = code(2 * pair) | code(2 * pair + 1) << 4
                }
            }
        }
    }

    /// The largest magnitude over 7; NaN where something is not finite.
    private static func scale(_ x: UnsafePointer<Float>) -> Float {
        var largest: Float = 0
        for index in 0..<groupSize where !(abs(x[index]) <= largest) {
            guard x[index].isFinite else { return .nan }
            largest = abs(x[index])
        }
        return largest / 7
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        for row in 0..<count {
            let codes = segment.plane(0, token: token + row, as: UInt8.self)
            let scales = segment.plane(1, token: token + row, as: UInt16.self)
            for group in 0..<(segment.width / Self.groupSize) {
                var scale: Float = 0
                kl_half_to_f32(isa, KL_F16, scales + group, 1, &scale)
                let x = out + row * segment.width + group * Self.groupSize
                for pair in 0..<(Self.groupSize / 2) {
                    let byte = codes[group * Self.groupSize / 2 + pair]
                    x[2 * pair] = scale * (Float(byte & 15) - 8)
                    x[2 * pair + 1] = scale * (Float(byte >> 4) - 8)
                }
            }
        }
    }
}
