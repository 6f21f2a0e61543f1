/// Where what was calibrated for a model lies, and which model that must be.
public struct CalibrationSource: Sendable, Equatable {
    /// The file; there may be none.
    public let path: String
    /// The model's name, for people.
    public let model: String
    /// Fingerprint of the checkpoint's weights.
    public let weights: String

    public init(path: String, model: String, weights: String) {
        self.path = path
        self.model = model
        self.weights = weights
    }
}
