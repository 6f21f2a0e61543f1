import Crypto
import Foundation
import Synchronization
import Tensors

/// A safetensors file. For each layer N: `layers.N.ranges` F32 [2, 2, heads, width], without and with outliers, middles and half
/// widths; `layers.N.levels_B` F32 [2, 2, 2^B], without and with outliers, keys and values; `layers.N.rotary` I32 [first element,
/// are halves paired]; `layers.N.frequencies` F32 [pairs]. Metadata: format, layers, model, weights, and what the run adds.
extension KVQuantCalibration {
    private static let format = "kvlab-kvquant"
    private static let opened = Mutex<[String: KVQuantCalibration]>([:])

    /// Reads a model's calibration; a file is read once.
    /// - Throws: ``SchemeError/calibration(file:problem:)`` for a file that is not there, is none, or is another model's.
    static func open(_ source: CalibrationSource) throws -> KVQuantCalibration {
        func problem(_ text: String) -> SchemeError { .calibration(file: source.path, problem: text) }
        guard let bytes = FileManager.default.contents(atPath: source.path) else {
            throw problem("there is no such file; 'kvlab calibrate' writes it")
        }
        let digits = SHA256.hash(data: bytes).prefix(4).map { String(format: "%02x", $0) }.joined()
        let found = try opened.withLock { opened in
            if let known = opened["\(source.path)#\(digits)"] { return known }
            let new = try KVQuantCalibration(path: source.path, digits: digits)
            opened["\(source.path)#\(digits)"] = new
            return new
        }
        guard found.weights == source.weights else {
            throw problem(
                found.model == source.model
                    ? "it is of other weights of \(source.model)" : "it is of \(found.model), and this is \(source.model)")
        }
        return found
    }

    private convenience init(path: String, digits: String) throws {
        func problem(_ text: String) -> SchemeError { .calibration(file: path, problem: text) }
        let file: SafetensorsFile
        do { file = try SafetensorsFile(path: path) } catch { throw problem("it is no safetensors file") }
        guard file.metadata["format"] == Self.format, let model = file.metadata["model"],
            let weights = file.metadata["weights"], let count = file.metadata["layers"].flatMap({ Int($0) }),
            (1...4096).contains(count)
        else { throw problem("it was not written by 'kvlab calibrate'") }

        func values<T>(_ name: String, _ dtype: DType, _ shape: [Int?], as: T.Type) throws -> (shape: [Int], values: [T]) {
            guard let entry = file.entries[name], entry.dtype == dtype, entry.shape.count == shape.count,
                zip(entry.shape, shape).allSatisfy({ $0 > 0 && ($1 == nil || $0 == $1) })
            else { throw problem("its tensor '\(name)' is missing or has another shape") }
            let bytes = file.bytes(of: entry)
            let size = MemoryLayout<T>.size
            return (entry.shape, (0..<(bytes.count / size)).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: T.self) })
        }
        func floats(_ name: String, _ shape: [Int?]) throws -> (shape: [Int], values: [Float]) {
            let found = try values(name, .f32, shape, as: Float.self)
            guard found.values.allSatisfy(\.isFinite) else { throw problem("its tensor '\(name)' holds NaN or infinity") }
            return found
        }
        func parts(_ all: [Float]) -> [[Float]] {
            let size = all.count / 4
            return (0..<4).map { Array(all[($0 * size)..<(($0 + 1) * size)]) }
        }

        var layers: [Layer] = []
        for layer in 0..<count {
            let (shape, ranges) = try floats("layers.\(layer).ranges", [2, 2, nil, nil])
            let frequencies = try floats("layers.\(layer).frequencies", [nil]).values
            let turned = try values("layers.\(layer).rotary", .i32, [2], as: Int32.self).values
            let (heads, width) = (shape[2], shape[3])
            let numbers = parts(ranges)
            let levels = try Self.bits.map { parts(try floats("layers.\(layer).levels_\($0)", [2, 2, 1 << $0]).values) }
            guard turned[0] >= 0, Int(turned[0]) + 2 * frequencies.count <= width,
                (numbers[1] + numbers[3]).allSatisfy({ $0 >= 0 }), levels.joined().allSatisfy({ $0 == $0.sorted() })
            else { throw problem("layer \(layer) does not fit together") }
            let rotary = KVQuantRotary(offset: Int(turned[0]), pairsHalves: turned[1] != 0, frequencies: frequencies)
            func grid(_ first: Int) -> Grid {
                Grid(
                    middles: numbers[first], halves: numbers[first + 1], keyLevels: levels.map { $0[first] },
                    valueLevels: levels.map { $0[first + 1] })
            }
            layers.append(
                Layer(
                    heads: heads, width: width, dense: grid(0), sparse: grid(2),
                    // Layers that turn alike share one table.
                    rotary: layers.last { $0.rotary == rotary }?.rotary ?? rotary))
        }
        self.init(file: path, digits: digits, model: model, weights: weights, layers: layers)
    }

    /// Writes a file.
    /// - Parameter metadata: what else is to be recorded.
    /// - Throws: `TensorsError/cannotWrite(file:reason:)`.
    public static func write(_ layers: [Layer], for source: CalibrationSource, metadata: [String: String]) throws {
        let own = ["format": format, "layers": "\(layers.count)", "model": source.model, "weights": source.weights]
        var tensors: [(declaration: SafetensorsWriter.Declaration, data: Data)] = []
        func add<T>(_ name: String, _ dtype: DType, _ shape: [Int], _ values: [T]) {
            tensors.append((.init(name: name, dtype: dtype, shape: shape), values.withUnsafeBytes { Data($0) }))
        }
        for (index, layer) in layers.enumerated() {
            let grids = [layer.dense, layer.sparse]
            add("layers.\(index).ranges", .f32, [2, 2, layer.heads, layer.width], grids.flatMap { $0.middles + $0.halves })
            for (place, bits) in bits.enumerated() {
                add("layers.\(index).levels_\(bits)", .f32, [2, 2, 1 << bits], grids.flatMap { $0.keyLevels[place] + $0.valueLevels[place] })
            }
            add("layers.\(index).rotary", .i32, [2], [Int32(layer.rotary.offset), layer.rotary.pairsHalves ? 1 : 0])
            add("layers.\(index).frequencies", .f32, [layer.rotary.frequencies.count], layer.rotary.frequencies)
        }
        try SafetensorsWriter.write(
            to: source.path, metadata: metadata.merging(own) { $1 }, tensors: tensors.map(\.declaration)
        ) { write in
            for tensor in tensors { try tensor.data.withUnsafeBytes { try write($0) } }
        }
    }
}
