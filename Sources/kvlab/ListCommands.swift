import ArgumentParser
import CKernels
import Caches
import Experiments
import Foundation
import Models
import Results
import Schemes

struct ExperimentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiments", abstract: "List the experiments.", discussion: "Example: kvlab experiments --json")

    @OptionGroup var output: ListOptions

    func run() throws {
        let files = try ProjectFiles.locate()
        let rows = try files.names(in: files.experiments, suffix: ".yaml").map { name in
            let file = try ExperimentFile(path: "\(files.experiments)/\(name).yaml")
            return [("name", name), ("experiment", file.experiment), ("title", file.title)]
        }
        try output.show(rows)
    }
}

struct ShapesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shapes", abstract: "List the model shapes.", discussion: "Example: kvlab shapes")

    @OptionGroup var output: ListOptions

    func run() throws {
        let files = try ProjectFiles.locate()
        let rows = try files.names(in: files.shapes, suffix: ".json").map { name in
            let configuration = try ModelRegistry.configuration(path: "\(files.shapes)/\(name).json")
            let spec = configuration.cacheSpec(mlaForm: .expanded)
            let bytes = try CacheLayout(spec: spec, scheme: CacheScheme(expression: "affine-q4-g64"), windowPolicy: .full)
                .agentBytes(tokens: 4096)
            return [
                ("name", name), ("type", type(of: configuration).modelTypes[0]), ("layers", "\(spec.layers.count)"),
                ("context limit", "\(configuration.contextLimit)"),
                ("MiB per agent at 4096 tokens, affine-q4-g64", "\(bytes >> 20)"),
            ]
        }
        try output.show(rows)
    }
}

struct SchemesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schemes", abstract: "List the cache quantization schemes.", discussion: "Example: kvlab schemes --json")

    @OptionGroup var output: ListOptions

    func run() throws {
        try output.show(
            try SchemeRegistry.all.map { scheme in
                [
                    ("name", scheme.name),
                    ("bits per element", String(format: "%.3f", try scheme.bitsPerElement(width: 128))),
                    ("what", scheme.summary),
                ]
            }
                + SchemeRegistry.wrappers.map { wrapper in
                    [("name", wrapper.form), ("bits per element", wrapper.schemes == 1 ? "as X" : "between X and Y"), ("what", wrapper.summary)]
                }
                + [[
                    ("name", "\(PythonScheme.prefix)FILE"), ("bits per element", "as FILE declares"),
                    ("what", "a scheme in a Python file with numpy; see docs/adding-a-scheme.md"),
                ]])
    }
}

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the model architectures.", discussion: "Example: kvlab models")

    @OptionGroup var output: ListOptions

    func run() throws {
        try output.show(
            ModelRegistry.modelTypes.map { [("model_type", $0)] })
    }
}

struct MachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Print the machine record that results carry.",
        discussion: "Example: kvlab machine --measure")

    @Flag(help: "Measure memory and disk bandwidth too (some seconds).")
    var measure = false

    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var output: ListOptions

    func run() throws {
        let execution = try execution.execution()
        let facts = MachineFacts.collect(
            isa: execution.isaName, threads: execution.workers.threadCount,
            folder: FileManager.default.currentDirectoryPath, measure: measure)
        try output.show(facts.map { [("fact", $0.name), ("value", $0.value.text)] })
    }
}
