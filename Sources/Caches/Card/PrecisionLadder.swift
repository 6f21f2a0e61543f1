import CKernels
import Schemes
import Tensors

/// The schemes that the tokens of a card may have, from the fewest bits to the most, and what each costs a model.
///
/// ``precision(weights:bits:)`` is the same for every controller, so that controllers differ in the weights of tokens only and
/// are compared at equal bytes.
public struct PrecisionLadder: Sendable {
    /// What is on one rung.
    public struct Rung: Sendable {
        public let scheme: CacheScheme
        /// Stored bits of an element, scales and biases included, over all layers.
        public let bits: Double
        /// Mean squared error of a stored row over its mean square, of normal random rows.
        public let distortion: Double
        /// Bytes of one token in each layer, keys and values of all heads.
        let layerBytes: [Int]
    }

    public let rungs: [Rung]
    private let spec: ModelCacheSpec
    private let windowPolicy: WindowPolicy

    /// - Throws: a `SchemeError` when rows do not fit a scheme, ``CachesError/rowsWait(scheme:)``,
    ///   ``CachesError/notALadder(lower:higher:)`` when more bits do not mean less error, or ``TensorsError/outOfMemory(bytes:)``.
    public init(_ schemes: [CacheScheme], spec: ModelCacheSpec, windowPolicy: WindowPolicy = .window) throws {
        precondition(!schemes.isEmpty, "a ladder has a rung")
        self.spec = spec
        self.windowPolicy = windowPolicy
        rungs = try schemes.map { scheme in
            let layout = try CacheLayout(spec: spec, scheme: scheme, windowPolicy: windowPolicy)
            try layout.requireNoResidual()
            let bytes = layout.layers.map { layer in
                layer.spec.kvHeads * [layer.keys, layer.values].compactMap { $0 }.reduce(0) { $0 + $1.bytesPerToken }
            }
            return Rung(
                scheme: scheme, bits: 8 * Double(bytes.reduce(0, +)) / Double(spec.layers.reduce(0) { $0 + $1.elements }),
                distortion: try Self.distortion(layout.layers[0].keys), layerBytes: bytes)
        }.sorted { $0.bits < $1.bits }
        for (lower, higher) in zip(rungs, rungs.dropFirst())
        where lower.bits == higher.bits || lower.distortion <= higher.distortion {
            throw CachesError.notALadder(lower: lower.scheme.description, higher: higher.scheme.description)
        }
    }

    /// A scheme for each token, such that Σ weight · distortion is as small as it can be with `bits` stored bits per element,
    /// up to the last token: the upgrades that save the most per byte are taken while their bytes last. An upgrade that no
    /// longer fits leaves its token where it is.
    ///
    /// A token that layers with a window do not hold costs less and counts less. Of equal upgrades those are taken that are
    /// spread evenly over the context. Complexity: tokens · rungs · log.
    /// - Parameters:
    ///   - weights: of each token, how much an error in it matters; not negative, in any unit.
    ///   - bits: at least those of the lowest rung.
    public func precision(weights: [Double], bits: Double) -> CardPrecision {
        precondition(!weights.isEmpty && weights.allSatisfy { $0 >= 0 && $0.isFinite }, "weights are numbers")
        precondition(bits >= rungs[0].bits, "fewer bits than the lowest rung has")
        let costs = weights.indices.map { cost(of: $0, among: weights.count) }
        var left = Int(bits * Double(costs.reduce(0) { $0 + $1.elements }) / 8) - costs.reduce(0) { $0 + $1.bytes[0] }
        struct Upgrade {
            let token: Int
            let rung: Int
            let gain: Double
            let place: UInt64
        }
        var upgrades: [Upgrade] = []
        upgrades.reserveCapacity(weights.count * rungs.count)
        for (token, weight) in weights.enumerated() {
            let place = evenPlace(of: token)
            for rung in rungs.indices.dropFirst() {
                let saved = weight * (rungs[rung - 1].distortion - rungs[rung].distortion)
                upgrades.append(
                    Upgrade(token: token, rung: rung, gain: saved / (rungs[rung].bits - rungs[rung - 1].bits), place: place))
            }
        }
        // A token's own upgrades follow one another also where they save nothing.
        upgrades.sort { ($1.gain, $0.rung, $0.place) < ($0.gain, $1.rung, $1.place) }
        var levels = [Int](repeating: 0, count: weights.count)
        for upgrade in upgrades where levels[upgrade.token] == upgrade.rung - 1 {
            let bytes = costs[upgrade.token].bytes
            let more = bytes[upgrade.rung] - bytes[upgrade.rung - 1]
            guard more <= left else { continue }
            left -= more
            levels[upgrade.token] = upgrade.rung
        }
        let used = Set(levels).sorted()
        return CardPrecision(schemes: used.map { rungs[$0].scheme }, tokens: levels.map { used.firstIndex(of: $0)! })
    }

    /// Elements of the keys and values on a card of `count` tokens.
    public func elements(of count: Int) -> Int { (0..<count).reduce(0) { $0 + cost(of: $1, among: count).elements } }

    /// Bytes of a token on each rung, and its elements, in the layers that hold it on a card of `count` tokens.
    private func cost(of token: Int, among count: Int) -> (bytes: [Int], elements: Int) {
        let layers = spec.layers.indices.filter { layer in
            guard windowPolicy == .window, let window = spec.layers[layer].window else { return true }
            return token >= count - window
        }
        return (
            rungs.map { rung in layers.reduce(0) { $0 + rung.layerBytes[$1] } },
            layers.reduce(0) { $0 + spec.layers[$1].elements }
        )
    }

    /// Encodes and decodes a segment of normal random rows.
    private static func distortion(_ layout: SegmentLayout) throws -> Double {
        let count = blockTokens * layout.width
        let rows = try AlignedBuffer(count: 2 * count, of: Float.self)
        let (before, after) = (rows.bound(to: Float.self), rows.bound(to: Float.self) + count)
        var bytes = [UInt8](repeating: 0, count: 16 * count)
        kl_random_bytes(1, 0, &bytes, bytes.count)
        for index in 0..<count {
            // The sum of sixteen uniform numbers is normal enough.
            before[index] = bytes[(16 * index)..<(16 * index + 16)].reduce(0) { $0 + Float($1) } - 16 * 127.5
        }
        let packed = try AlignedBuffer(byteCount: layout.byteCount)
        let segment = layout.segment(at: packed.pointer)
        let isa = kl_isa_best()
        layout.scheme.encode(before, count: blockTokens, stride: layout.width, at: 0, into: segment, isa: isa)
        layout.scheme.decode(segment, from: 0, count: blockTokens, into: after, isa: isa)
        var (error, power) = (0.0, 0.0)
        for index in 0..<count {
            let (x, y) = (Double(before[index]), Double(after[index]))
            error += (x - y) * (x - y)
            power += x * x
        }
        return error / power
    }
}

extension SegmentLayout {
    fileprivate var bytesPerToken: Int { planes.reduce(0) { $0 + $1.bytesPerToken } }
}

extension LayerCacheSpec {
    /// Elements of a token's keys and values.
    fileprivate var elements: Int { kvHeads * (keyWidth + valueWidth) }
}
