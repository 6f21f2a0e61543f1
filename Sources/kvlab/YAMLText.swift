import Experiments
import Foundation
import Tensors

/// Settings of an experiment, as text behind `--set`.
enum YAMLText {
    /// A list of texts in YAML, which takes JSON.
    static func list(_ texts: [String]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: texts, options: .withoutEscapingSlashes), as: UTF8.self)
    }
}

extension ProjectFiles {
    /// A path, or the name of a checkpoint that comes with kvlab.
    /// - Throws: ``ExperimentsError/unknown(kind:name:nearest:available:)``.
    func checkpoint(_ model: String) throws -> String {
        if FileManager.default.fileExists(atPath: model) { return model }
        let folder = root + "/datasets/checkpoints"
        let names = names(in: folder, suffix: "").filter {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)/config.json")
        }
        guard names.contains(model) else {
            throw ExperimentsError.unknown(
                kind: "model", name: model, nearest: nearestName(to: model, in: names), available: names)
        }
        return "\(folder)/\(model)"
    }
}
