import CKernels
import Tensors

/// Writes down which weights a model asks for, in its order, so that there is one place that says what a model is made
/// of: the model. The memory that it hands out is never touched, and so never there.
final class WeightList: WeightSource {
    struct Matrix: Equatable, Sendable {
        let name: String
        let rows: Int
        let cols: Int
    }

    struct Vector: Equatable, Sendable {
        let name: String
        let count: Int
    }

    enum Weight: Equatable, Sendable {
        case matrix(Matrix)
        case vector(Vector)

        var name: String {
            switch self {
            case .matrix(let matrix): matrix.name
            case .vector(let vector): vector.name
            }
        }
    }

    private(set) var weights: [Weight] = []
    var label: String { "none" }

    /// The weights of a model of `configuration`.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)`` where the system does not promise memory for the model.
    static func of(_ configuration: any ModelConfiguration, execution: Execution) throws -> [Weight] {
        let list = WeightList()
        _ = try ModelRegistry.model(name: "", configuration: configuration, weights: list, execution: execution)
        return list.weights
    }

    func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear {
        weights += matrices.map { .matrix(Matrix(name: $0.name, rows: $0.rows, cols: cols)) }
        let storage = Linear.Storage.affine4(KL_F16)
        return try Linear(
            rows: matrices.reduce(0) { $0 + $1.rows }, cols: cols,
            storage: Linear.canHold(cols: cols, storage) ? storage : .dense(KL_DENSE_F16))
    }

    func vector(_ name: String, count: Int) -> [Float] {
        weights.append(.vector(Vector(name: name, count: count)))
        return [Float](repeating: 0, count: count)
    }
}
