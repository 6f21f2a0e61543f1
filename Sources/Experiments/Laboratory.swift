import CKernels
import Engine
import Foundation
import Models
import Tensors

/// What experiments share: threads, model shapes, a folder for caches.
public final class Laboratory {
    public let execution: Execution
    public let files: ProjectFiles
    /// Where agents' cache files go while an experiment runs.
    public let cacheFolder: String
    private var loaded: (key: String, engine: Engine)?

    public init(execution: Execution, files: ProjectFiles, cacheFolder: String) {
        self.execution = execution
        self.files = files
        self.cacheFolder = cacheFolder
    }

    /// Names of the shapes in `experiments/shapes`.
    public var shapeNames: [String] { files.names(in: files.shapes, suffix: ".json") }

    /// The configuration of a shape.
    /// - Throws: ``ExperimentsError/unknown(kind:name:nearest:available:)`` or a `ModelsError`.
    /// - Parameter layers: use only so many of its layers.
    public func configuration(shape: String, layers: Int? = nil) throws -> any ModelConfiguration {
        try ModelRegistry.configuration(configurationFile(shape: shape, layers: layers))
    }

    /// The file of a shape, as ``configuration(shape:layers:)`` reads it.
    public func configurationFile(shape: String, layers: Int? = nil) throws -> ConfigurationFile {
        guard shapeNames.contains(shape) else {
            throw ExperimentsError.unknown(
                kind: "shape", name: shape, nearest: nearestName(to: shape, in: shapeNames), available: shapeNames)
        }
        let file = try ConfigurationFile(path: "\(files.shapes)/\(shape).json")
        return layers.map { file.replacing("num_hidden_layers", with: $0) } ?? file
    }

    /// The published model that a shape stands for, or an empty text: a shape file may name it under `stands_for`.
    public func paperModel(shape: String) throws -> String {
        try ConfigurationFile(path: "\(files.shapes)/\(shape).json").string("stands_for", default: "")
    }

    /// "llama3.1-8b (4 layers)"
    public static func name(shape: String, layers: Int?) -> String { shape + (layers.map { " (\($0) layers)" } ?? "") }

    /// `layers`, or nil where these are all that a shape has.
    public func cut(shape: String, layers: Int) throws -> Int? {
        try configuration(shape: shape).cacheSpec(mlaForm: .expanded).layers.count == layers ? nil : layers
    }

    /// An engine with synthetic weights of a shape. One model is kept: asking for another lets go of it.
    public func engine(shape: String, seed: UInt64, layers: Int? = nil) throws -> Engine {
        let name = Self.name(shape: shape, layers: layers)
        let key = "\(name) \(seed)"
        if let loaded, loaded.key == key { return loaded.engine }
        loaded = nil
        let model = try ModelRegistry.model(
            name: name, configuration: try configuration(shape: shape, layers: layers),
            weights: SyntheticWeights(seed: seed, execution: execution), execution: execution)
        let engine = Engine(model: model, execution: execution)
        loaded = (key, engine)
        return engine
    }

    /// The path of a setting: as it stands where it is there, else within the project.
    public func path(_ text: String) -> String {
        FileManager.default.fileExists(atPath: text) ? text : "\(files.root)/\(text)"
    }
}
