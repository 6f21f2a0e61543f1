import ArgumentParser
import Caches
import Engine
import Experiments
import Foundation
import Models
import Text

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a model as a file that llama.cpp, transformers or mlx-lm loads.",
        discussion: """
            Example: kvlab export --shape llama3.1-8b --layers 4 --gguf llama.gguf --type q4_0
            A shape gets weights of a seed that q4_0, f16, f32 and MLX's 4 bits hold without a change, so that every program \
            runs the same model; `kvlab bench --weights llama.gguf --weight-bits 4` runs it too. Their tokenizer is a \
            placeholder. A checkpoint's own goes into its GGUF file, if llama.cpp has one that cuts texts as it does.
            """)

    @Option(help: "A shape with synthetic weights; see kvlab shapes.")
    var shape: String?

    @Option(help: ArgumentHelp("A checkpoint instead: a HuggingFace or MLX folder, or a GGUF file.", valueName: "DIR|FILE.gguf"))
    var weights: String?

    @Option(help: "Use only the first layers of the shape.")
    var layers: Int?

    @Option(help: "Seed of the synthetic weights.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("The GGUF file to write.", valueName: "FILE"))
    var gguf: String?

    @Option(name: .customLong("hf"), help: ArgumentHelp("The HuggingFace folder to write: config.json and model.safetensors.", valueName: "DIR"))
    var folder: String?

    @Option(help: "What matrices become: \(ExportType.allCases.map(\.rawValue).joined(separator: ", ")); q4_0 for GGUF files and f16 for folders by default.")
    var type: String?

    @Option(help: "How llama.cpp is to run latent attention: latent, or expanded to the keys and values of every head.")
    var mla: String = MLAForm.latent.rawValue

    @OptionGroup var execution: ExecutionOptions

    func validate() throws {
        guard (shape == nil) != (weights == nil) else { throw ValidationError("Give --shape or --weights.") }
        guard layers == nil || shape != nil else { throw ValidationError("--layers goes with --shape, not with --weights.") }
        guard (gguf == nil) != (folder == nil) else { throw ValidationError("Give --gguf FILE or --hf DIR.") }
        _ = try exportType()
        _ = try WeightsOptions.mlaForm(mla)
    }

    func run() throws {
        let type = try exportType()
        let mlaForm = try WeightsOptions.mlaForm(mla)
        let execution = try execution.execution()
        let (export, note) = try export(execution)
        let progress = ProgressPrinter.bytes("Writing")
        let bytes =
            if let folder {
                try export.writeFolder(to: folder, type: type, progress: progress)
            } else {
                try export.writeGGUF(to: gguf!, type: type, mlaForm: mlaForm, progress: progress)
            }
        print("\(folder ?? gguf!): \(bytes) bytes of weights, \(export.label) as \(type.rawValue).")
        if let note { print(note) }
    }

    private func exportType() throws -> ExportType {
        let name = type ?? (folder == nil ? ExportType.q4_0 : .f16).rawValue
        guard let found = ExportType(rawValue: name) else {
            throw ValidationError(
                "--type must be one of \(ExportType.allCases.map(\.rawValue).joined(separator: ", ")), and is '\(name)'.")
        }
        return found
    }

    /// The model, and what is to be said of the tokenizer in a GGUF file.
    private func export(_ execution: Execution) throws -> (ModelExport, note: String?) {
        if let weights {
            let checkpoint = try Checkpoint.open(weights)
            guard folder == nil else { return (ModelExport(checkpoint: checkpoint, execution: execution), nil) }
            let note = "Its tokenizer is a placeholder without meaning: "
            do {
                let tokenizer = try checkpoint.tokenizerMetadata()
                let export = ModelExport(checkpoint: checkpoint, tokenizer: tokenizer, execution: execution)
                guard let tokenizer else { return (export, note + "the checkpoint has none.") }
                let pre = tokenizer.pre.map { " (\($0))" } ?? ""
                return (export, "Its tokenizer is the checkpoint's: \(tokenizer.tokens.count) tokens, \(tokenizer.model)\(pre).")
            } catch let error as TextError {
                return (ModelExport(checkpoint: checkpoint, execution: execution), note + "\(error)")
            }
        }
        let laboratory = Laboratory(execution: execution, files: try ProjectFiles.locate(), cacheFolder: "")
        let file = try laboratory.configurationFile(shape: shape!, layers: layers)
        let name = Laboratory.name(shape: shape!, layers: layers)
        return (try ModelExport(shape: file, name: name, seed: seed, execution: execution), nil)
    }
}
