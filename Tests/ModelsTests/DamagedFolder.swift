import Foundation
import Tensors

/// A copy of one of the fixtures that can be changed tensor by tensor or key by key.
final class DamagedFolder {
    let path: String
    private var weights: String { path + "/model.safetensors" }

    init(_ name: String) throws { path = try CheckpointFixtures.copy(name) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A tensor that is about to be written back.
    struct Tensor {
        var dtype: DType
        var shape: [Int]
        var bytes: [UInt8]

        /// Its elements as 16-bit patterns.
        subscript(half index: Int) -> UInt16 {
            get { UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8 }
            set {
                bytes[2 * index] = UInt8(newValue & 255)
                bytes[2 * index + 1] = UInt8(newValue >> 8)
            }
        }
    }

    /// Writes the weights again as `change` leaves them; names come in alphabetical order.
    func rewrite(_ change: (inout [String: Tensor]) -> Void) throws {
        let file = try SafetensorsFile(path: weights)
        var tensors = file.entries.mapValues {
            Tensor(dtype: $0.dtype, shape: $0.shape, bytes: Array(file.bytes(of: $0)))
        }
        change(&tensors)
        let sorted = tensors.sorted { $0.key < $1.key }
        try SafetensorsWriter.write(
            to: weights, metadata: [:],
            tensors: sorted.map { .init(name: $0.key, dtype: $0.value.dtype, shape: $0.value.shape) }
        ) { write in
            for (_, tensor) in sorted { try tensor.bytes.withUnsafeBytes(write) }
        }
    }

    /// Changes `config.json`; nil removes a key.
    func configure(_ changes: [String: Any?]) throws {
        let url = URL(fileURLWithPath: path + "/config.json")
        var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        for (key, value) in changes { object[key] = value }
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }

    func write(_ file: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }

    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(file)") }
}
