/// Where a model's weights come from: named as in HuggingFace checkpoints.
public protocol WeightSource {
    /// What the weights are, for records: "synthetic q4-g64 seed 1".
    var label: String { get }
    /// What tells them from all other weights, for what must not outlive them; the label by default.
    var identity: String { get }

    /// Matrices with the same input, stacked into one: rows of the first, then of the second, ….
    /// - Parameter matrices: name and rows of each.
    func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear

    /// A vector of `count` elements, such as a norm's weight.
    func vector(_ name: String, count: Int) throws -> [Float]
}

extension WeightSource {
    public var identity: String { label }
}
