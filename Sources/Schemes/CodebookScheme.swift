import CKernels

/// Rows as a norm and the nearest of 2^bits fixed levels for each element of x/‖x‖·√width.
///
/// With `residual`, what the levels leave over is kept too, as QJL does: its norm, and of each element of its rotation the
/// sign, which stands for √(π/2)·(norm/√width). Its expected scalar product with any query is right.
///
/// - Layout: codes, least significant bit first; then norms in IEEE half precision, cut at 65504; with `residual` then the
///   signs, one bit each (1 is positive), and the norms of the residuals likewise. The width is a multiple of 8. A row with
///   an infinity or NaN has norm NaN.
struct CodebookScheme: KVScheme {
    let name: String
    let summary: String
    let bits: Int
    /// Ascending, for elements of variance 1.
    let levels: [Float]
    let residual: Rotation?

    private static let signs: [Float] = [-1, 1]

    func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % 8 == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: 8)
        }
        let kept = [Plane("codes", bytesPerToken: width * bits / 8), Plane("norms", bytesPerToken: 2)]
        guard residual != nil else { return kept }
        return kept + [Plane("signs", bytesPerToken: width / 8), Plane("residual norms", bytesPerToken: 2)]
    }

    func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * width) { buffer in
            let unit = buffer.baseAddress!
            let stored = unit + width
            for row in 0..<count {
                let x = rows + row * stride
                let norm = put(norm(x, width), in: segment.plane(1, token: token + row), isa)
                let factor = norm > 0 ? Float(width).squareRoot() / norm : 0
                for index in 0..<width { unit[index] = norm.isNaN ? 0 : x[index] * factor }
                let codes = segment.plane(0, token: token + row, as: UInt8.self)
                kl_codebook_encode(isa, Int32(bits), levels, unit, width, codes)
                guard let residual else { continue }
                kl_codebook_decode(isa, Int32(bits), levels, codes, norm / Float(width).squareRoot(), width, stored)
                for index in 0..<width { unit[index] = norm.isNaN ? 0 : x[index] - stored[index] }
                let rest = put(self.norm(unit, width), in: segment.plane(3, token: token + row), isa)
                if !rest.isFinite { unit.update(repeating: 0, count: width) }
                residual.apply(unit, count: 1, width: width, isa: isa)
                kl_codebook_encode(isa, 1, Self.signs, unit, width, segment.plane(2, token: token + row))
            }
        }
    }

    func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let width = segment.width
        let root = Float(width).squareRoot()
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { buffer in
            let rest = buffer.baseAddress!
            for row in 0..<count {
                let target = out + row * width
                let norm = get(segment.plane(1, token: token + row), isa)
                kl_codebook_decode(
                    isa, Int32(bits), levels, segment.plane(0, token: token + row), norm / root, width, target)
                guard let residual else { continue }
                let scale = (Float.pi / 2).squareRoot() * get(segment.plane(3, token: token + row), isa) / root
                kl_codebook_decode(isa, 1, Self.signs, segment.plane(2, token: token + row), scale, width, rest)
                residual.undo(rest, count: 1, width: width, isa: isa)
                for index in 0..<width { target[index] += rest[index] }
            }
        }
    }

    /// ‖x‖, summed in order in 64 bits: the same on every instruction set. NaN where an element is not finite.
    private func norm(_ x: UnsafePointer<Float>, _ width: Int) -> Float {
        var sum = 0.0
        for index in 0..<width { sum += Double(x[index]) * Double(x[index]) }
        return sum.isFinite ? Float(sum.squareRoot()) : .nan
    }

    /// Stores a norm, and gives it as it will be read.
    private func put(_ norm: Float, in place: UnsafeMutablePointer<UInt16>, _ isa: kl_isa) -> Float {
        var cut = norm > 65504 ? 65504 : norm
        kl_f32_to_half(isa, KL_F16, &cut, 1, place)
        return get(place, isa)
    }

    private func get(_ place: UnsafeMutablePointer<UInt16>, _ isa: kl_isa) -> Float {
        var norm: Float = 0
        kl_half_to_f32(isa, KL_F16, place, 1, &norm)
        return norm
    }
}
