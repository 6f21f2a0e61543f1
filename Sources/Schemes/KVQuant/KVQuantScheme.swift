import CKernels

/// `kvquant-nuqB`, `kvquant-nuqB-1%`: KVQuant, non-uniform levels from a calibration of the model.
///
/// Keys are turned back to where rotary embedding had not touched them, and each channel's calibrated range becomes −1 … 1. A
/// token's values have a range of their own. An element takes the nearest of 2^B levels of its layer. With `-1%`, 1 % of a tile is
/// kept in 16-bit floats beside the codes: the keys furthest out of their channels' ranges, the values furthest from their tokens'
/// means. Reading turns keys forward again.
///
/// - Layout: codes, least significant bit first, `width·B/8` bytes a token; then for each tile of 128 tokens its layer and KV head
///   (16 bits each), its position (32 bits) and its outliers, index in the tile and value, 16 bits each, in all a multiple of 32
///   bytes; of values then the middle and the half width of each token's range, IEEE f16.
/// - Variant: outliers are counted for a tile of one head, where the original has those of a token over all heads, and of keys all
///   beyond the thresholds. Levels are plain k-means, where the original weights by Fisher information. Rows wait until there are
///   128.
/// - Source: https://arxiv.org/abs/2401.18079, https://github.com/SqueezeAILab/KVQuant, `quant_fn_nuq_recon`; held by
///   `KVQuantSchemeTests`.
public struct KVQuantScheme: KVScheme {
    /// Tokens that are encoded together.
    public static let tile = 128
    /// Share of a tile that is kept beside the codes, and of a channel's calibrated keys that lie out of its range.
    static let outlierShare = 0.01
    private static let headBytes = 8
    /// Position of a tile that holds something that is not finite, or too large for 16 bits.
    private static let spoiled = UInt32.max
    private static let noOutlier = UInt16.max

    public let bits: Int
    public let isSparse: Bool
    public private(set) var kind: RowKind
    /// nil until a model gives its own; then nothing can be encoded.
    private var calibration: KVQuantCalibration?
    /// The calibration that a saved cache names.
    private var digits: String?

    /// - Parameter calibration: what a model's file holds; a cache asks ``calibrated(by:)`` for it.
    public init(bits: Int, isSparse: Bool, kind: RowKind = .keys, calibration: KVQuantCalibration? = nil) {
        precondition(KVQuantCalibration.bits.contains(bits))
        (self.bits, self.isSparse, self.kind) = (bits, isSparse, kind)
        (self.calibration, digits) = (calibration, calibration?.digits)
    }

    static let all = KVQuantCalibration.bits.reversed().flatMap { bits in
        [false, true].map { KVQuantScheme(bits: bits, isSparse: $0) }
    }

    /// The scheme of `NAME#DIGITS`, as saved caches have it; nil for another name.
    static func recorded(_ name: some StringProtocol) -> KVQuantScheme? {
        let sides = name.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, sides[1].count == 8, sides[1].allSatisfy({ "0123456789abcdef".contains($0) }),
            var scheme = all.first(where: { $0.name == sides[0] })
        else { return nil }
        scheme.digits = String(sides[1])
        return scheme
    }

    public var name: String { "kvquant-nuq\(bits)\(isSparse ? "-1%" : "")\(digits.map { "#\($0)" } ?? "")" }

    public var summary: String {
        "KVQuant, \(bits) bits, calibrated levels, keys per channel before RoPE, values per token\(isSparse ? ", 1 % in fp16" : "")"
    }

    public var tileTokens: Int { Self.tile }
    public var residual: ResidualWindow { .whole(tokens: Self.tile) }
    public var needsCalibration: Bool { true }

    public func scheme(for kind: RowKind) -> any KVScheme {
        var scheme = self
        scheme.kind = kind
        return scheme
    }

    public func calibrated(by source: CalibrationSource) throws -> any KVScheme {
        let found = try KVQuantCalibration.open(source)
        guard digits == nil || digits == found.digits else {
            throw SchemeError.calibration(
                file: source.path, problem: "it is another version than #\(digits!): now it is #\(found.digits)")
        }
        return KVQuantScheme(bits: bits, isSparse: isSparse, kind: kind, calibration: found)
    }

    public func check() throws {
        guard calibration != nil else { throw SchemeError.uncalibrated(scheme: name) }
    }

    // MARK: Layout

    /// The most outliers of a tile.
    private func outliers(width: Int) -> Int { isSparse ? Int(Double(Self.tile * width) * Self.outlierShare) : 0 }

    private func tileBytes(width: Int) -> Int { (Self.headBytes + 4 * outliers(width: width) + 31) / 32 * 32 }

    public func planes(width: Int) throws -> [Plane] {
        guard width > 0, width % 8 == 0 else {
            throw SchemeError.widthNotGrouped(scheme: name, width: width, groupSize: 8)
        }
        guard !isSparse || Self.tile * width < Int(Self.noOutlier) else {
            throw SchemeError.rowTooWide(scheme: name, width: width, limit: Int(Self.noOutlier) / Self.tile)
        }
        if kind == .keys, let calibration, let other = calibration.layers.first(where: { $0.width != width }) {
            throw SchemeError.calibration(
                file: calibration.file, problem: "its keys have \(other.width) elements, and these have \(width)")
        }
        let planes = [
            Plane("codes", bytesPerToken: width * bits / 8),
            Plane("outliers", bytesPerTile: tileBytes(width: width), tileTokens: Self.tile),
        ]
        return kind == .keys ? planes : planes + [Plane("ranges", bytesPerToken: 4)]
    }

    /// The most far out, the furthest first; of two as far the earlier.
    /// - Parameter elements: of the tile.
    static func furthest(_ sizes: [(size: Float, index: Int)], of elements: Int) -> [Int] {
        sizes.sorted { ($1.size, $0.index) < ($0.size, $1.index) }.prefix(Int(Double(elements) * outlierShare)).map(\.index)
    }

    // MARK: Encoding

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        var x = [Float](repeating: 0, count: Self.tile * width)
        for start in Swift.stride(from: 0, to: count, by: Self.tile) {
            let tile = UnsafeMutableRawPointer(segment.plane(1, token: token + start, as: UInt8.self))
            tile.initializeMemory(as: UInt8.self, repeating: 0, count: tileBytes(width: width))
            tile.storeBytes(of: UInt16(segment.layer), as: UInt16.self)
            tile.storeBytes(of: UInt16(segment.head), toByteOffset: 2, as: UInt16.self)
            tile.storeBytes(of: Self.spoiled, toByteOffset: 4, as: UInt32.self)
            segment.plane(0, token: token + start, as: UInt8.self).update(repeating: 0, count: Self.tile * width * bits / 8)
            if kind == .values {
                segment.plane(2, token: token + start, as: UInt8.self).update(repeating: 0, count: 4 * Self.tile)
            }
            guard let layer = layer(of: tile) else { continue }
            let position = segment.firstPosition + token + start
            x.withUnsafeMutableBufferPointer { x in
                for row in 0..<Self.tile {
                    let values = x.baseAddress! + row * width
                    values.update(from: rows + (start + row) * stride, count: width)
                    if kind == .keys { layer.rotary.turn(values, position: position + row, back: true) }
                }
            }
            guard x.allSatisfy({ abs($0) <= 65504 }) else { continue }
            tile.storeBytes(of: UInt32(position), toByteOffset: 4, as: UInt32.self)
            let outliers = kind == .keys
                ? encodeKeys(&x, layer, head: segment.head, segment, at: token + start, isa)
                : encodeValues(&x, layer, segment, at: token + start, isa)
            for (slot, outlier) in outliers.enumerated() {
                let place = tile + Self.headBytes + 4 * slot
                place.storeBytes(of: UInt16(outlier.index), as: UInt16.self)
                var value = outlier.value
                kl_f32_to_half(isa, KL_F16, &value, 1, (place + 2).assumingMemoryBound(to: UInt16.self))
            }
            for slot in outliers.count..<self.outliers(width: width) {
                (tile + Self.headBytes + 4 * slot).storeBytes(of: Self.noOutlier, as: UInt16.self)
            }
        }
    }

    /// Writes the codes of a tile of keys.
    private func encodeKeys(
        _ x: inout [Float], _ layer: KVQuantCalibration.Layer, head: Int, _ segment: Segment, at token: Int, _ isa: kl_isa
    ) -> [(index: Int, value: Float)] {
        let (width, grid) = (segment.width, isSparse ? layer.sparse : layer.dense)
        var sizes: [(size: Float, index: Int)] = []
        let original = isSparse ? x : []
        for index in x.indices {
            let channel = head * width + index % width
            let half = grid.halves[channel]
            x[index] -= grid.middles[channel]
            if isSparse, abs(x[index]) > half { sizes.append((half > 0 ? abs(x[index]) / half : .infinity, index)) }
            x[index] = half > 0 ? x[index] / half : 0
        }
        put(x, levels: grid.keyLevels, segment, at: token, isa)
        return Self.furthest(sizes, of: x.count).map { (index: $0, value: original[$0]) }
    }

    /// Writes the codes and the ranges of a tile of values.
    private func encodeValues(
        _ x: inout [Float], _ layer: KVQuantCalibration.Layer, _ segment: Segment, at token: Int, _ isa: kl_isa
    ) -> [(index: Int, value: Float)] {
        let width = segment.width
        let found = KVQuantValues(x, width: width, isSparse: isSparse)
        let outliers = found.outliers.map { (index: $0, value: x[$0]) }
        for row in 0..<Self.tile {
            var range = [found.middles[row], found.halves[row]]
            let place = segment.plane(2, token: token + row, as: UInt16.self)
            kl_f32_to_half(isa, KL_F16, range, 2, place)
            kl_half_to_f32(isa, KL_F16, place, 2, &range)
            for index in (row * width)..<((row + 1) * width) { x[index] = range[1] > 0 ? (x[index] - range[0]) / range[1] : 0 }
        }
        put(x, levels: (isSparse ? layer.sparse : layer.dense).valueLevels, segment, at: token, isa)
        return outliers
    }

    private func put(_ x: [Float], levels: [[Float]], _ segment: Segment, at token: Int, _ isa: kl_isa) {
        kl_codebook_encode(isa, Int32(bits), levels[bits - KVQuantCalibration.bits.lowerBound], x, x.count, segment.plane(0, token: token))
    }

    /// The layer that a tile names.
    private func layer(of tile: UnsafeRawPointer) -> KVQuantCalibration.Layer? {
        guard let calibration else { return nil }
        let layer = Int(tile.load(as: UInt16.self)), head = Int(tile.load(fromByteOffset: 2, as: UInt16.self))
        guard layer < calibration.layers.count, head < calibration.layers[layer].heads else { return nil }
        return calibration.layers[layer]
    }

    // MARK: Decoding

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        var row = 0
        while row < count {
            let inTile = (token + row) % Self.tile
            let part = min(count - row, Self.tile - inTile)
            decodeTile(segment, at: token + row, rows: inTile..<(inTile + part), into: out + row * segment.width, isa)
            row += part
        }
    }

    /// Some rows of a tile, the first of them token `token` of the segment.
    private func decodeTile(
        _ segment: Segment, at token: Int, rows: Range<Int>, into out: UnsafeMutablePointer<Float>, _ isa: kl_isa
    ) {
        let width = segment.width
        let tile = UnsafeRawPointer(segment.plane(1, token: token, as: UInt8.self))
        let position = tile.load(fromByteOffset: 4, as: UInt32.self)
        guard let layer = layer(of: tile), position != Self.spoiled else {
            // Without a calibration ``check()`` says so.
            return out.update(repeating: calibration == nil ? 0 : .nan, count: rows.count * width)
        }
        let grid = isSparse ? layer.sparse : layer.dense
        let levels = (kind == .keys ? grid.keyLevels : grid.valueLevels)[bits - KVQuantCalibration.bits.lowerBound]
        kl_codebook_decode(
            isa, Int32(bits), levels, segment.plane(0, token: token), 1, rows.count * width, out)
        if kind == .keys {
            let first = Int(tile.load(fromByteOffset: 2, as: UInt16.self)) * width
            grid.middles.withUnsafeBufferPointer { middles in
                grid.halves.withUnsafeBufferPointer { halves in
                    let (middles, halves) = (middles.baseAddress! + first, halves.baseAddress! + first)
                    for row in 0..<rows.count {
                        let values = out + row * width
                        for column in 0..<width { values[column] = values[column] * halves[column] + middles[column] }
                    }
                }
            }
        } else {
            for row in 0..<rows.count {
                var range: (middle: Float, half: Float) = (0, 0)
                withUnsafeMutableBytes(of: &range) {
                    kl_half_to_f32(
                        isa, KL_F16, segment.plane(2, token: token + row), 2, $0.baseAddress!.assumingMemoryBound(to: Float.self))
                }
                let values = out + row * width
                for column in 0..<width { values[column] = values[column] * range.half + range.middle }
            }
        }
        for slot in 0..<outliers(width: width) {
            let place = tile + Self.headBytes + 4 * slot
            let index = Int(place.load(as: UInt16.self))
            guard index != Int(Self.noOutlier) else { break }
            guard rows.contains(index / width) else { continue }
            kl_half_to_f32(
                isa, KL_F16, (place + 2).assumingMemoryBound(to: UInt16.self), 1, out + index - rows.lowerBound * width)
        }
        guard kind == .keys else { return }
        for row in 0..<rows.count {
            layer.rotary.turn(out + row * width, position: Int(position) + rows.lowerBound + row, back: false)
        }
    }
}
