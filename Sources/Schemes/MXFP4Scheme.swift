import CKernels

/// Rows in MXFP4: blocks of 32 elements in E2M1 (0, ½, 1, 1½, 2, 3, 4, 6 and their negatives) under one power of two.
///
/// - Layout: codes, two in a byte, the first in the low nibble; then the scales in E8M0, one byte a block: 4.25 bits per
///   element. The scale is 2^(⌊log₂ max│x│⌋ − 2), so that the largest of a block lies from 4 to 8 and is cut at 6; the others
///   are rounded to nearest, ties to even. │x − x̂│ ≤ max(│x│, scale)/4. A block with an infinity or NaN has scale NaN.
/// - Source: OCP Microscaling Formats (MX) 1.0
///   (https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf), 5.2 and 6.3. The bytes are those
///   of that algorithm with the types of ml_dtypes, held by `SmallFloatSchemeTests`; the bound by `SchemeConformanceTests`.
public struct MXFP4Scheme: KVScheme {
    public let name = "mxfp4"
    public let summary = "OCP MXFP4: E2M1, a power of two for each 32 elements"
    /// Elements of a block.
    public static let blockSize = 32

    public init() {}

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % Self.blockSize == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: Self.blockSize)
        }
        return [
            Plane("codes", bytesPerToken: width / 2), Plane("scales", bytesPerToken: width / Self.blockSize),
        ]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        kl_mxfp4_encode(
            isa, rows, count, segment.width, stride, segment.plane(0, token: token), segment.plane(1, token: token))
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        kl_mxfp4_decode(isa, segment.plane(0, token: token), segment.plane(1, token: token), count, segment.width, out)
    }
}
