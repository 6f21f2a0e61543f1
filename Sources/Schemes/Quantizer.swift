import CKernels

/// Asymmetric codes between minimum and maximum, every result rounded to IEEE f16.
struct Quantizer {
    let bits: Int
    let isa: kl_isa

    private var largest: Float { Float((1 << bits) - 1) }

    /// Rounds to f16.
    func round(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ halves: UnsafeMutablePointer<UInt16>) {
        kl_f32_to_half(isa, KL_F16, x, count, halves)
        kl_half_to_f32(isa, KL_F16, halves, count, x)
    }

    /// Minimum of each column in `zeros`, its maximum in `scales`.
    func rangesOfColumns(
        _ x: UnsafePointer<Float>, rows: Int, width: Int, zeros: UnsafeMutablePointer<Float>,
        scales: UnsafeMutablePointer<Float>
    ) {
        zeros.update(from: x, count: width)
        scales.update(from: x, count: width)
        for row in 1..<rows {
            let values = x + row * width
            for column in 0..<width {
                let value = values[column]
                // A NaN stays.
                if !(value >= zeros[column]), !zeros[column].isNaN { zeros[column] = value }
                if !(value <= scales[column]), !scales[column].isNaN { scales[column] = value }
            }
        }
    }

    /// Minimum of each group of a row in `zeros`, its maximum in `scales`, for every element.
    func rangesOfGroups(
        _ x: UnsafePointer<Float>, width: Int, group: Int, zeros: UnsafeMutablePointer<Float>,
        scales: UnsafeMutablePointer<Float>
    ) {
        for start in stride(from: 0, to: width, by: group) {
            var (low, high) = (x[start], x[start])
            for index in start..<(start + group) {
                let value = x[index]
                if !(value >= low), !low.isNaN { low = value }
                if !(value <= high), !high.isNaN { high = value }
            }
            (zeros + start).update(repeating: low, count: group)
            (scales + start).update(repeating: high, count: group)
        }
    }

    /// From maxima to scales. A group with an infinity or NaN has scale and zero NaN.
    func finishRanges(
        zeros: UnsafeMutablePointer<Float>, scales: UnsafeMutablePointer<Float>, _ count: Int,
        _ halves: UnsafeMutablePointer<UInt16>
    ) {
        for index in 0..<count { scales[index] -= zeros[index] }
        round(scales, count, halves)
        for index in 0..<count { scales[index] /= largest }
        round(scales, count, halves)
        for index in 0..<count where !scales[index].isFinite {
            scales[index] = .nan
            zeros[index] = .nan
        }
    }

    /// Replaces rows by their codes, as floats. A scale of 0 or NaN has codes 0.
    func codes(
        _ x: UnsafeMutablePointer<Float>, rows: Int, width: Int, zeros: UnsafePointer<Float>,
        scales: UnsafePointer<Float>, _ halves: UnsafeMutablePointer<UInt16>
    ) {
        for row in 0..<rows {
            let values = x + row * width
            for column in 0..<width { values[column] -= zeros[column] }
        }
        round(x, rows * width, halves)
        for row in 0..<rows {
            let values = x + row * width
            for column in 0..<width { values[column] = scales[column] > 0 ? values[column] / scales[column] : 0 }
        }
        round(x, rows * width, halves)
        let largest = largest
        for index in 0..<(rows * width) { x[index] = min(max(x[index], 0), largest) }
    }

    /// Packs codes, rounded to nearest, ties to even, least significant bits first.
    func pack(_ codes: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutablePointer<UInt8>) {
        // At 2^23 the last bit of a float is worth 1.
        func code(_ index: Int) -> UInt32 { (codes[index] + 0x1p23).bitPattern & 0xFF }
        if bits == 4 {
            for byte in 0..<(count / 2) {
                out[byte] = UInt8(truncatingIfNeeded: code(2 * byte) | code(2 * byte + 1) << 4)
            }
        } else {
            for byte in 0..<(count / 4) {
                let low = code(4 * byte) | code(4 * byte + 1) << 2
                let high = code(4 * byte + 2) << 4 | code(4 * byte + 3) << 6
                out[byte] = UInt8(truncatingIfNeeded: low | high)
            }
        }
    }

    /// Codes as floats; `count` is a multiple of 32.
    func unpack(_ codes: UnsafePointer<UInt8>, _ count: Int, into out: UnsafeMutablePointer<Float>) {
        let group = KIVIScheme.groupSize
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * count / group) { halves in
            let (ones, zeros) = (halves.baseAddress!, halves.baseAddress! + count / group)
            ones.initialize(repeating: 0x3C00, count: count / group)
            zeros.initialize(repeating: 0, count: count / group)
            kl_affine_decode(isa, Int32(bits), Int32(group), KL_F16, codes, ones, zeros, 1, count, out, count)
        }
    }
}
