import Schemes

/// What one layer keeps per token.
public struct LayerCacheSpec: Sendable, Equatable, Codable {
    public let kvHeads: Int
    /// Elements of a key row of one head.
    public let keyWidth: Int
    /// Elements of a value row of one head; 0 when values are a part of the key row (latent MLA).
    public let valueWidth: Int
    /// Tokens that a query of this layer sees, itself included; nil when it sees all.
    public let window: Int?

    public init(kvHeads: Int, keyWidth: Int, valueWidth: Int, window: Int? = nil) {
        self.kvHeads = kvHeads
        self.keyWidth = keyWidth
        self.valueWidth = valueWidth
        self.window = window
    }
}

/// How a multi-head latent attention model caches.
public enum MLAForm: String, Sendable, Codable, CaseIterable {
    /// The model has no latent attention.
    case none
    /// Keys and values of every head, as in arXiv 2603.04428.
    case expanded
    /// The compressed KV and the shared rope key, one row per token.
    case latent
}

/// All that the cache side knows of a model.
public struct ModelCacheSpec: Sendable, Equatable, Codable {
    public let layers: [LayerCacheSpec]
    public let mlaForm: MLAForm
    /// Where schemes that are calibrated find what they need; files do not record it, their schemes' names do.
    public var calibration: CalibrationSource?

    private enum CodingKeys: CodingKey {
        case layers, mlaForm
    }

    public static func == (one: Self, other: Self) -> Bool { one.layers == other.layers && one.mlaForm == other.mlaForm }

    public init(layers: [LayerCacheSpec], mlaForm: MLAForm = .none) {
        self.layers = layers
        self.mlaForm = mlaForm
    }
}

/// What windowed layers keep.
public enum WindowPolicy: String, Sendable, Codable, CaseIterable {
    /// Every token, as in arXiv 2603.04428.
    case full
    /// The blocks that a later query can still see.
    case window
}
