/// What a calibration run says of a model's keys and values: the ranges of the channels of keys before rotary embedding, and the
/// levels that suit keys and values of each layer, with and without outliers.
public final class KVQuantCalibration: Sendable {
    /// Bits of codes that have levels.
    public static let bits = 2...4

    /// Ranges and levels with no outliers, or with 1 % of them.
    public struct Grid: Sendable, Equatable {
        /// Middle of each channel of keys, [heads, width].
        public let middles: [Float]
        /// Half the width of its range.
        public let halves: [Float]
        /// Levels of keys in −1 … 1, ascending, [2^bits] for each of ``KVQuantCalibration/bits``.
        public let keyLevels: [[Float]]
        /// Levels of values likewise.
        public let valueLevels: [[Float]]

        public init(middles: [Float], halves: [Float], keyLevels: [[Float]], valueLevels: [[Float]]) {
            self.middles = middles
            self.halves = halves
            self.keyLevels = keyLevels
            self.valueLevels = valueLevels
        }
    }

    public struct Layer: Sendable, Equatable {
        public let heads: Int
        /// Elements of a key.
        public let width: Int
        /// Over all of the calibration's keys.
        public let dense: Grid
        /// Without the 1 % that lie furthest out.
        public let sparse: Grid
        public let rotary: KVQuantRotary

        public init(heads: Int, width: Int, dense: Grid, sparse: Grid, rotary: KVQuantRotary) {
            self.heads = heads
            self.width = width
            self.dense = dense
            self.sparse = sparse
            self.rotary = rotary
        }
    }

    /// Where it was read from.
    public let file: String
    /// The first eight hex digits of the file's SHA-256.
    public let digits: String
    /// The name of the model, and the fingerprint of its weights.
    public let model: String
    public let weights: String
    public let layers: [Layer]

    public init(file: String, digits: String, model: String, weights: String, layers: [Layer]) {
        self.file = file
        self.digits = digits
        self.model = model
        self.weights = weights
        self.layers = layers
    }
}
