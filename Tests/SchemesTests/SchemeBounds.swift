import CKernels
import Schemes

/// How far a stored value may be from what was stored, by the definition of each scheme: one row for each family.
enum SchemeBounds {
    /// One bound for each element of a row, or of the rows of a tile.
    typealias Bound = @Sendable (_ rows: [Float], _ width: Int) -> [Float]

    /// The bound of a scheme.
    /// - Returns: nil for a scheme that has no row here.
    static func bound(of scheme: any KVScheme) -> Bound? {
        if let affine = scheme as? AffineScheme { return { rows, _ in Self.affine(affine, rows) } }
        if let kivi = scheme as? KIVIScheme { return { rows, width in Self.kivi(kivi, rows, width) } }
        if let rounding = scheme as? QueryRoundingScheme { return bound(of: rounding.inner) }
        if let mixed = scheme as? MixedScheme { return { rows, width in Self.mixed(mixed, rows, width) } }
        if let kvquant = scheme as? KVQuantScheme { return { rows, width in Self.kvquant(kvquant, rows, width) } }
        if let zipcache = scheme as? ZipCacheScheme { return { rows, width in Self.zipcache(zipcache, rows, width) } }
        if let rotated = scheme as? RotatedScheme, rotated.name.hasPrefix("hadamard-") {
            return { rows, width in Self.hadamard(rotated, rows, width) }
        }
        if let rotated = scheme as? RotatedScheme, rotated.rotation == .pairs {
            return { rows, width in Self.pairs(rotated, rows, width) }
        }
        guard let bound = named[scheme.name] else { return nil }
        return { row, _ in bound(row) }
    }

    private static let named: [String: @Sendable (_ row: [Float]) -> [Float]] = [
        "fp32": { $0.map { _ in 0 } },
        "fp16": { $0.map { abs($0) / 1024 } },
        "bf16": { $0.map { abs($0) / 256 } },
        "q8_0": { ggml($0, steps: 127, spanned: false, off: 0.5) },
        "q5_1": { ggml($0, steps: 31, spanned: true, off: 0.5) },
        // The upper end of q4_0 and q5_0 has no code of its own.
        "q5_0": { ggml($0, steps: 16, spanned: false, off: 1) },
        "q4_1": { ggml($0, steps: 15, spanned: true, off: 0.5) },
        "q4_0": { ggml($0, steps: 8, spanned: false, off: 1) },
        // A value of iq4_nl is at most 14 steps from its level before the scale is fitted to all of them; a search for the
        // worst block found 26 steps after.
        "iq4_nl": { ggml($0, steps: 127, spanned: false, off: 28) },
        "fp8-e4m3": { fp8($0, largest: 448, relative: 0x1p-4, subnormal: 0x1p-10) },
        "fp8-e5m2": { fp8($0, largest: 57344, relative: 0x1p-3, subnormal: 0x1p-17) },
        "mxfp4": { blocks($0, of: MXFP4Scheme.blockSize) { block, largest in
            let scale = largest == 0 ? 0 : Float.maximum(0x1p-127, Float(sign: .plus, exponent: largest.exponent - 2, significand: 1))
            return block.map { .maximum(abs($0), scale) / 4 }
        } },
        "nvfp4": { nvfp4($0, unit: 1) },
        "nvfp4-row": { nvfp4($0, unit: $0.map(abs).max()! / 2688) },
        // Shares of the norm: the worst that a lone outlier, whose rotation is all of one magnitude, can do.
        "turboquant-2": { norm($0, 0.55) },
        "turboquant-3": { norm($0, 0.3) },
        "turboquant-4": { norm($0, 0.15) },
        "turboquant-prod-2": { norm($0, 0.65) },
        "turboquant-prod-3": { norm($0, 0.45) },
        "turboquant-prod-4": { norm($0, 0.25) },
        "absmax-4": { blocks($0, of: AbsmaxScheme.groupSize) { block, largest in block.map { _ in largest / 14 + largest / 256 } } },
    ]

    private static func blocks(_ row: [Float], of size: Int, _ bound: (ArraySlice<Float>, Float) -> [Float]) -> [Float] {
        stride(from: 0, to: row.count, by: size).flatMap { start in
            let block = row[start..<start + size]
            return bound(block, block.map(abs).max()!)
        }
    }

    /// The scale is stretched so that an edge is hit; scale and bias are rounded to 16 bits.
    private static func affine(_ scheme: AffineScheme, _ row: [Float]) -> [Float] {
        blocks(row, of: scheme.groupSize) { group, largest in
            let scale = (group.max()! - group.min()!) / Float((1 << scheme.bits) - 1)
            return group.map { _ in scale * 1.5 + largest / 100 }
        }
    }

    /// Steps in the span of a block, or in its largest magnitude, and how many a value is off at most. Scale and minimum are
    /// rounded to IEEE f16.
    private static func ggml(_ row: [Float], steps: Float, spanned: Bool, off: Float) -> [Float] {
        blocks(row, of: GGMLScheme.blockSize) { block, largest in
            let step = (spanned ? block.max()! - block.min()! : largest) / steps
            return block.map { _ in off * step + largest / 512 }
        }
    }

    private static func fp8(_ row: [Float], largest: Float, relative: Float, subnormal: Float) -> [Float] {
        let scale = row.map(abs).max()! / largest
        return row.map { .maximum(abs($0) * relative, scale * subnormal) * 1.000_001 }
    }

    private static func nvfp4(_ row: [Float], unit: Float) -> [Float] {
        blocks(row, of: NVFP4Scheme.blockSize) { block, largest in
            block.map { .maximum(abs($0), largest / 6 * 17 / 16) / 4 + 6 * 0x1p-10 * unit }
        }
    }

    private static func norm(_ row: [Float], _ share: Float) -> [Float] {
        let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return row.map { _ in norm * share }
    }

    /// Half a step in the span of a group; elements, scale, zero and steps are rounded to IEEE f16.
    private static func kivi(_ scheme: KIVIScheme, _ rows: [Float], _ width: Int) -> [Float] {
        rows.indices.map { index in
            let first = index / KIVIScheme.groupSize * KIVIScheme.groupSize
            let group =
                scheme.kind == .keys
                ? stride(from: index % width, to: rows.count, by: width).map { rows[$0] }
                : Array(rows[first..<first + KIVIScheme.groupSize])
            let step = (group.max()! - group.min()!) / Float((1 << scheme.bits) - 1)
            return step / 2 + group.map(abs).max()! / 256
        }
    }

    /// The worse of the two schemes, for each token.
    private static func mixed(_ scheme: MixedScheme, _ rows: [Float], _ width: Int) -> [Float] {
        let (fine, coarse) = (bound(of: scheme.fine)!, bound(of: scheme.coarse)!)
        return stride(from: 0, to: rows.count, by: width).flatMap { start in
            let row = Array(rows[start..<(start + width)])
            return zip(fine(row, width), coarse(row, width)).map { Float.maximum($0, $1) }
        }
    }

    /// Half a step of 2 bits. In keys the span is that of a channel; in values that of a row, whose elements were divided by the
    /// roots of their channels' largest magnitudes and are not larger than these roots.
    private static func zipcache(_ scheme: ZipCacheScheme, _ rows: [Float], _ width: Int) -> [Float] {
        let columns = (0..<width).map { column in stride(from: column, to: rows.count, by: width).map { rows[$0] } }
        let largest = columns.map { $0.map(abs).max()! }
        let bounds = (0..<width).map { column -> Float in
            if scheme.kind == .keys { return (columns[column].max()! - columns[column].min()!) / 6 + largest[column] / 256 }
            let root = largest.max()!.squareRoot()
            return largest[column].squareRoot() * root * (1 / 3 + 1 / 64)
        }
        return rows.indices.map { bounds[$0 % width] }
    }

    /// With the levels of the tests an element is a step of a half range off at most, at the upper end, and what lies beyond a
    /// channel's range besides; of keys each of a pair is off by what both are before they are turned.
    private static func kvquant(_ scheme: KVQuantScheme, _ rows: [Float], _ width: Int) -> [Float] {
        let step = 2 / Float(1 << scheme.bits)
        return stride(from: 0, to: rows.count, by: width).flatMap { start -> [Float] in
            let row = rows[start..<(start + width)]
            let largest = row.map(abs).max()!
            let rounding = largest / 256
            guard scheme.kind == .keys else { return row.map { _ in (row.max()! - row.min()!) / 2 * step + rounding } }
            let beyond = max(0, largest * Float(2).squareRoot() - KVQuantSchemeTests.range)
            return row.map { _ in Float(2).squareRoot() * (KVQuantSchemeTests.range * step + (scheme.isSparse ? 0 : beyond)) + rounding }
        }
    }

    /// Those of the elements in their other order.
    private static func pairs(_ scheme: RotatedScheme, _ rows: [Float], _ width: Int) -> [Float] {
        var rotated = rows
        scheme.rotation.apply(&rotated, count: rows.count / width, width: width, isa: KL_SCALAR)
        var bounds = bound(of: scheme.inner)!(rotated, width)
        scheme.rotation.undo(&bounds, count: rows.count / width, width: width, isa: KL_SCALAR)
        return bounds
    }

    /// √Σ of the squares of the bounds in the block of rotated elements.
    private static func hadamard(_ scheme: RotatedScheme, _ rows: [Float], _ width: Int) -> [Float] {
        var rotated = rows
        let size = scheme.rotation.multiple
        scheme.rotation.apply(&rotated, count: rows.count / width, width: width, isa: KL_SCALAR)
        let inner = bound(of: scheme.inner)!(rotated, width)
        return stride(from: 0, to: rows.count, by: size).flatMap { start in
            let sum = inner[start..<start + size].reduce(0) { $0 + $1 * $1 }
            return [Float](repeating: sum.squareRoot() * 1.001, count: size)
        }
    }
}
