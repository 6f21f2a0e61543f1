/// The schemes of a cache: those of single layers, and those of the rest.
///
/// Written as one scheme for all layers (`affine-q4-g64`, `k=q8_0,v=q4_0`) or as a map of layers
/// (`layers 0-1,5: fp16; rest: k=q8_0,v=q4_0`). See ``init(expression:)`` and `docs/schemes.md`.
public struct CacheScheme: Sendable, CustomStringConvertible {
    /// Layers that share a scheme other than the rest's.
    public struct Part: Sendable {
        /// Ascending; no two touch.
        public let ranges: [ClosedRange<Int>]
        public let scheme: LayerScheme

        public init(ranges: [ClosedRange<Int>], scheme: LayerScheme) {
            self.ranges = ranges
            self.scheme = scheme
        }
    }

    /// In the order of their first layers; no two have the same scheme.
    public let parts: [Part]
    public let rest: LayerScheme

    /// Brings the parts into their canonical form: equal schemes joined, those of the rest left out.
    /// - Precondition: no layer is in two ranges.
    public init(parts: [Part] = [], rest: LayerScheme) {
        var joined: [(ranges: [ClosedRange<Int>], scheme: LayerScheme)] = []
        for part in parts where part.scheme.description != rest.description && !part.ranges.isEmpty {
            if let index = joined.firstIndex(where: { $0.scheme.description == part.scheme.description }) {
                joined[index].ranges += part.ranges
            } else {
                joined.append((part.ranges, part.scheme))
            }
        }
        self.parts = joined.map { Part(ranges: Self.joined($0.ranges), scheme: $0.scheme) }
            .sorted { $0.ranges[0].lowerBound < $1.ranges[0].lowerBound }
        self.rest = rest
    }

    /// One scheme of keys and one of values for all layers.
    public init(key: any KVScheme, value: any KVScheme) { self.init(rest: LayerScheme(key: key, value: value)) }

    public init(_ both: any KVScheme) { self.init(key: both, value: both) }

    /// The schemes of a layer.
    public func scheme(ofLayer layer: Int) -> LayerScheme {
        parts.first { $0.ranges.contains { $0.contains(layer) } }?.scheme ?? rest
    }

    /// Checks that a model of `layerCount` layers has all layers that are named.
    /// - Throws: ``SchemeError/malformed(expression:position:problem:)``.
    public func check(layerCount: Int) throws {
        let (text, places) = written
        for (range, position) in places where range.upperBound >= layerCount {
            throw SchemeError.malformed(
                expression: text, position: position,
                problem: "layer \(range.upperBound) is out of range: the model has layers 0 to \(layerCount - 1)")
        }
    }

    /// The schemes with what was calibrated for a model, where they need that.
    /// - Throws: as `KVScheme.calibrated(by:)`.
    public func calibrated(by source: CalibrationSource) throws -> CacheScheme {
        func bound(_ scheme: LayerScheme) throws -> LayerScheme {
            LayerScheme(key: try scheme.key.calibrated(by: source), value: try scheme.value.calibrated(by: source))
        }
        return CacheScheme(
            parts: try parts.map { Part(ranges: $0.ranges, scheme: try bound($0.scheme)) }, rest: try bound(rest))
    }

    /// The canonical expression.
    public var description: String { written.text }

    /// The canonical expression, and the characters, counted from 1, at which the ranges of layers begin in it.
    private var written: (text: String, places: [(ClosedRange<Int>, position: Int)]) {
        guard !parts.isEmpty else { return (rest.description, []) }
        var text = ""
        var places: [(ClosedRange<Int>, position: Int)] = []
        for part in parts {
            text += "layers "
            for (index, range) in part.ranges.enumerated() {
                if index > 0 { text += "," }
                places.append((range, text.count + 1))
                text += range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            }
            text += ": \(part.scheme); "
        }
        return (text + "rest: \(rest)", places)
    }

    private static func joined(_ ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
        var joined: [ClosedRange<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, last.upperBound + 1 >= range.lowerBound {
                precondition(last.upperBound < range.lowerBound, "layer \(range.lowerBound) is in two ranges")
                joined[joined.count - 1] = last.lowerBound...range.upperBound
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}

/// The schemes of one layer: one for keys, one for values.
public struct LayerScheme: Sendable, CustomStringConvertible {
    public let key: any KVScheme
    public let value: any KVScheme

    public init(key: any KVScheme, value: any KVScheme) {
        self.key = key.scheme(for: .keys)
        self.value = value.scheme(for: .values)
    }

    /// The canonical expression: one name where both are the same.
    public var description: String {
        key.name == value.name ? key.name : "k=\(key.name),v=\(value.name)"
    }
}
