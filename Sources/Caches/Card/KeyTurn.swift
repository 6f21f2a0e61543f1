import CKernels

/// A rotation that takes keys from the rotary positions where they were computed to others, in 32-bit floats.
///
/// Cosines and sines are those of the difference of two angles, each rounded as a model rounds it, so that a turned key
/// is the key that the model would have turned there.
public struct KeyTurn: Sendable {
    /// Which part of a layer's key rows is turned, and how.
    public struct Place: Sendable, Equatable {
        /// First element that is turned, and how many are.
        public let offset: Int
        public let width: Int
        /// Is element i paired with i + width / 2? Neighbours are paired otherwise.
        public let pairsHalves: Bool
        /// Index of the angles.
        public let table: Int

        public init(offset: Int, width: Int, pairsHalves: Bool, table: Int) {
            self.offset = offset
            self.width = width
            self.pairsHalves = pairsHalves
            self.table = table
        }
    }

    /// Cosines and sines, [tokens, pairs] each.
    public struct Table: Sendable {
        public let pairs: Int
        public let cosines: [Float]
        public let sines: [Float]

        public init(pairs: Int, cosines: [Float], sines: [Float]) {
            precondition(cosines.count == sines.count && (pairs == 0 || cosines.count % pairs == 0))
            self.pairs = pairs
            self.cosines = cosines
            self.sines = sines
        }
    }

    /// One per layer.
    public let places: [Place]
    public let tables: [Table]

    public init(places: [Place], tables: [Table]) {
        precondition(places.allSatisfy { tables.indices.contains($0.table) && 2 * tables[$0.table].pairs == $0.width })
        self.places = places
        self.tables = tables
    }

    /// Turns key rows [count, width] of a layer in place; the first is that of token `first`.
    func apply(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, layer: Int, first: Int, isa: kl_isa) {
        let place = places[layer]
        let table = tables[place.table]
        table.cosines.withUnsafeBufferPointer { cosines in
            table.sines.withUnsafeBufferPointer { sines in
                for row in 0..<count {
                    let start = (first + row) * table.pairs
                    kl_rope(
                        isa, rows + row * width + place.offset, place.width, cosines.baseAddress! + start,
                        sines.baseAddress! + start, place.pairsHalves)
                }
            }
        }
    }
}
