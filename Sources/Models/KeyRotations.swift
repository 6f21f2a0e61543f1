import Caches
import Foundation

/// How a model turns the keys of each layer: what it takes to put keys at another position.
public struct KeyRotations: Sendable, Equatable {
    /// Every kind of rotary positions the model has.
    public let embeddings: [RotaryEmbedding]
    /// What of a layer's key rows is turned, and by which of them.
    public let places: [KeyTurn.Place]

    /// What caches are marked with.
    public var fingerprint: String { digest("\(embeddings)") }

    /// The rotation that takes keys from positions `from` to positions `to`; nil stands for no rotation.
    ///
    /// A model's angle is a 32-bit product, so the difference of two is taken after rounding, in 64 bits. YaRN's factor
    /// stays on the keys: it is the same everywhere.
    public func turn(from: [Int32]?, to: [Int32]?) -> KeyTurn {
        let count = (from ?? to)?.count ?? 0
        precondition(from == nil || to == nil || from!.count == to!.count, "as many positions as there were")
        let tables = embeddings.map { embedding in
            let pairs = embedding.frequencies.count
            var cosines = [Float](repeating: 0, count: count * pairs)
            var sines = cosines
            for token in 0..<count {
                for (pair, frequency) in embedding.frequencies.enumerated() {
                    func angle(_ positions: [Int32]?) -> Double { positions.map { Double(Float($0[token]) * frequency) } ?? 0 }
                    let difference = angle(to) - angle(from)
                    cosines[token * pairs + pair] = Float(cos(difference))
                    sines[token * pairs + pair] = Float(sin(difference))
                }
            }
            return KeyTurn.Table(pairs: pairs, cosines: cosines, sines: sines)
        }
        return KeyTurn(places: places, tables: tables)
    }
}

extension LlamaConfiguration {
    public func keyRotations(mlaForm: MLAForm) -> KeyRotations {
        let place = KeyTurn.Place(offset: 0, width: headWidth, pairsHalves: true, table: 0)
        return KeyRotations(embeddings: [rope], places: Array(repeating: place, count: layers))
    }
}

extension Gemma3Configuration {
    public func keyRotations(mlaForm: MLAForm) -> KeyRotations {
        KeyRotations(
            embeddings: [globalRope, slidingRope],
            places: isSliding.map { KeyTurn.Place(offset: 0, width: headWidth, pairsHalves: true, table: $0 ? 1 : 0) })
    }
}

extension DeepSeekV2Configuration {
    /// The rotated part stands behind the one without positions, or behind the compressed row.
    public func keyRotations(mlaForm: MLAForm) -> KeyRotations {
        let place = KeyTurn.Place(
            offset: mlaForm == .latent ? latentWidth : nopeWidth, width: ropeWidth, pairsHalves: false, table: 0)
        return KeyRotations(embeddings: [rope], places: Array(repeating: place, count: layers))
    }
}
