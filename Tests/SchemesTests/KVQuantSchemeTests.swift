import CKernels
import Foundation
import Schemes
import Tensors
import Testing

@Suite struct KVQuantSchemeTests {
    static let width = 64
    /// Channels of the tests' calibration from −range to range.
    static let range: Float = 12
    static let rotary = KVQuantRotary(
        offset: 0, pairsHalves: true, frequencies: (0..<(width / 2)).map { Float(pow(10_000, -Double($0) / 32)) })

    /// A calibration of two heads of one layer in a file of its own; 0 is one of its levels.
    static let source: CalibrationSource = {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).kvquant"
        let source = CalibrationSource(path: path, model: "none", weights: "0")
        let levels = KVQuantCalibration.bits.map { bits -> [Float] in
            let half = 1 << (bits - 1)
            return (0..<(1 << bits)).map { Float($0 - half) / Float(half) }
        }
        let grid = KVQuantCalibration.Grid(
            middles: Array(repeating: 0, count: 2 * width), halves: Array(repeating: range, count: 2 * width), keyLevels: levels,
            valueLevels: levels)
        try! KVQuantCalibration.write(
            [.init(heads: 2, width: width, dense: grid, sparse: grid, rotary: rotary)], for: source, metadata: [:])
        return source
    }()

    private func scheme(_ name: String, _ kind: RowKind) throws -> KVQuantScheme {
        let scheme = try SchemeRegistry.scheme(named: name).calibrated(by: Self.source).scheme(for: kind)
        return try #require(scheme as? KVQuantScheme)
    }

    /// Rows come back as from the published quantizer, and ranges are its thresholds. Tests/Fixtures/kvquant/README.md says how the
    /// file was made.
    @Test(arguments: SchemeConformanceTests.isas)
    func encodesAndDecodesAsPublished(isa: kl_isa) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/kvquant/rows.bin")
        let (width, tokens, past) = (Self.width, KVQuantScheme.tile, 250)
        var rest = [UInt8](try Data(contentsOf: file)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }[...]
        func take(_ count: Int) throws -> [Float] {
            try #require(rest.count >= count)
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let calibrated = try take(past * width), keys = try take(tokens * width), values = try take(tokens * width)
        let limits = try (0..<4).map { _ in try take(width) }
        let levels = [Array(repeating: 0, count: 4), try take(16), try take(8)]
        // Angles of 0 leave keys as they are.
        let still = KVQuantRotary(offset: 0, pairsHalves: true, frequencies: Array(repeating: 0, count: width / 2))
        func grid(_ low: [Float], _ high: [Float]) -> KVQuantCalibration.Grid {
            let all = [levels[0], levels[2], levels[1]]
            return .init(
                middles: zip(low, high).map { ($0 + $1) / 2 }, halves: zip(low, high).map { ($1 - $0) / 2 }, keyLevels: all,
                valueLevels: all)
        }
        let layer = KVQuantCalibration.Layer(
            heads: 1, width: width, dense: grid(limits[0], limits[1]), sparse: grid(limits[2], limits[3]), rotary: still)
        let calibration = KVQuantCalibration(file: "", digits: "", model: "", weights: "", layers: [layer])
        for (bits, isSparse) in [(4, false), (3, true)] {
            for (kind, rows) in [(RowKind.keys, keys), (.values, values)] {
                let layout = try SegmentLayout(
                    scheme: KVQuantScheme(bits: bits, isSparse: isSparse, kind: kind, calibration: calibration), width: width)
                let memory = try AlignedBuffer(byteCount: layout.byteCount)
                let segment = layout.segment(at: memory.pointer)
                let golden = try take(tokens * width)
                for token in [0, 128] {
                    var back = [Float](repeating: 0, count: tokens * width)
                    layout.scheme.encode(rows, count: tokens, stride: width, at: token, into: segment, isa: isa)
                    layout.scheme.decode(segment, from: token, count: tokens, into: &back, isa: isa)
                    #expect(back == golden, "\(bits) bits, \(kind)")
                }
            }
        }
        #expect(rest.isEmpty)
        let fitted = KVQuantCalibration.Layer(keys: [calibrated], width: width, values: [], valueWidth: 0, rotary: still)
        for (found, (low, high)) in [(fitted.dense, (limits[0], limits[1])), (fitted.sparse, (limits[2], limits[3]))] {
            for channel in 0..<width {
                #expect(abs(found.middles[channel] - found.halves[channel] - low[channel]) <= 1e-4)
                #expect(abs(found.middles[channel] + found.halves[channel] - high[channel]) <= 1e-4)
            }
        }
    }

    /// On numbers that are spread as N(0, 1) the levels are those of Lloyd and Max.
    @Test func levelsAreThoseOfLloydAndMax() {
        let count = 20_000
        let numbers = (0..<count).map { index -> Float in
            var (low, high) = (-6.0, 6.0)
            for _ in 0..<40 {
                let middle = (low + high) / 2
                if erfc(-middle / 2.0.squareRoot()) / 2 < (Double(index) + 0.5) / Double(count) { low = middle } else { high = middle }
            }
            return Float(low)
        }
        for (bits, half) in [(2, [0.4528, 1.510]), (3, [0.2451, 0.7560, 1.344, 2.152])] as [(Int, [Float])] {
            for (found, level) in zip(KVQuantLevels.fit(numbers, bits: bits), half.reversed().map { -$0 } + half) {
                #expect(abs(found - level) <= 0.01)
            }
        }
        #expect(KVQuantLevels.fit([0.5], bits: 2) == [-0.75, -0.25, 0.25, 0.75])
    }

    /// A key is stored as it was before it was turned: wherever its position, the same comes back, turned there. Of what is out of
    /// range, as many as a tile has room for come back as they were.
    @Test(arguments: [4, 3]) func keysAreTurnedBack(bits: Int) throws {
        let (width, tokens) = (Self.width, KVQuantScheme.tile)
        var base = (0..<(tokens * width)).map { Float((($0 * 7919) % 1009) - 504) / 504 * Self.range }
        for index in 0..<81 { base[index * 101] = 40 + Float(index) }
        let layout = try SegmentLayout(scheme: scheme("kvquant-nuq\(bits)-1%", .keys), width: width)
        func turn(_ rows: inout [Float], from position: Int, back: Bool) {
            rows.withUnsafeMutableBufferPointer { rows in
                for row in 0..<tokens { Self.rotary.turn(rows.baseAddress! + row * width, position: position + row, back: back) }
            }
        }
        for position in [0, 128, 100_096] {
            let memory = try AlignedBuffer(byteCount: layout.byteCount)
            var segment = layout.segment(at: memory.pointer)
            segment.firstPosition = position
            segment.head = 1
            var rows = base
            turn(&rows, from: position, back: false)
            layout.scheme.encode(rows, count: tokens, stride: width, at: 0, into: segment, isa: kl_isa_best())
            layout.scheme.decode(segment, from: 0, count: tokens, into: &rows, isa: kl_isa_best())
            turn(&rows, from: position, back: true)
            for index in rows.indices {
                let step = 2 * Self.range / Float(1 << bits)
                let allowed = abs(base[index]) > Self.range ? abs(base[index]) / 1024 : step
                #expect(abs(rows[index] - base[index]) <= allowed + 0.01, "\(position) \(index)")
            }
        }
    }

    /// Bytes of a tile as the document says.
    @Test func bytesOfATile() throws {
        #expect(try scheme("kvquant-nuq4-1%", .keys).planes(width: 64).map(\.bytesPerTile) == [32, 352])
        #expect(try scheme("kvquant-nuq3", .values).planes(width: 128).map(\.bytesPerTile) == [48, 32, 4])
    }

    @Test func whatCannotBeUsedIsRefused() throws {
        func expect(_ sentence: String, _ body: () throws -> Void) {
            #expect { try body() } throws: { "\($0)" == sentence }
        }
        let (path, name) = (Self.source.path, "kvquant-nuq4-1%")
        let bare = try SchemeRegistry.scheme(named: name)
        expect("Scheme '\(name)' needs a calibration, and this model has none; 'kvlab calibrate' makes one for a checkpoint.") {
            try bare.check()
        }
        expect("The calibration 'nowhere' cannot be used: there is no such file; 'kvlab calibrate' writes it.") {
            _ = try bare.calibrated(by: CalibrationSource(path: "nowhere", model: "none", weights: "0"))
        }
        expect("The calibration '\(path)' cannot be used: it is of none, and this is gemma3-mini.") {
            _ = try bare.calibrated(by: CalibrationSource(path: path, model: "gemma3-mini", weights: "1"))
        }
        expect("The calibration '\(path)' cannot be used: it is of other weights of none.") {
            _ = try bare.calibrated(by: CalibrationSource(path: path, model: "none", weights: "1"))
        }
        expect("The calibration '\(path)' cannot be used: its keys have 64 elements, and these have 128.") {
            _ = try scheme(name, .keys).planes(width: 128)
        }
        expect("Scheme '\(name)' takes rows of at most 511 elements, and these have 576.") { _ = try bare.planes(width: 576) }
        expect("Scheme expression 'hadamard-64(\(name))', character 13: '\(name)' is calibrated on rows that are not rotated.") {
            _ = try SchemeRegistry.scheme(named: "hadamard-64(\(name))")
        }
        // A saved cache names the calibration.
        let bound = try scheme(name, .keys)
        #expect(bound.name.hasPrefix("\(name)#") && bound.name.count == name.count + 9)
        #expect(try SchemeRegistry.scheme(named: bound.name).calibrated(by: Self.source).name == bound.name)
        expect("The calibration '\(path)' cannot be used: it is another version than #00000000: now it is \(bound.name.suffix(9)).") {
            _ = try SchemeRegistry.scheme(named: "\(name)#00000000").calibrated(by: Self.source)
        }
        let other = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).safetensors"
        try SafetensorsWriter.write(to: other, metadata: ["format": "pt"], tensors: []) { _ in }
        expect("The calibration '\(other)' cannot be used: it was not written by 'kvlab calibrate'.") {
            _ = try bare.calibrated(by: CalibrationSource(path: other, model: "none", weights: "0"))
        }
    }
}
