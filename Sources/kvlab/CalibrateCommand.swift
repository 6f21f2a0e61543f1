import ArgumentParser
import Caches
import Engine
import Foundation
import Models
import Schemes

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Find the ranges and levels of KVQuant for a checkpoint, and put them beside it.",
        discussion: """
            Example: kvlab calibrate --weights datasets/checkpoints/llama-mini --text docs/handoff.md --text docs/performance.md
            Schemes of that checkpoint whose names begin with 'kvquant' then use them. The file names the texts with their \
            SHA-256; another model refuses it.
            """)

    @Option(help: ArgumentHelp("A HuggingFace or MLX folder, or a GGUF file.", valueName: "DIR|FILE.gguf"))
    var weights: String

    @Option(help: "How latent attention caches: expanded or latent; nothing to other models.")
    var mla: String = MLAForm.expanded.rawValue

    @Option(help: "A text, UTF-8; may be given several times.")
    var text: [String]

    @Option(help: "The most tokens that are read, those of all texts together.")
    var tokens: Int = 8192

    @OptionGroup var execution: ExecutionOptions

    func validate() throws {
        guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1, and is \(tokens).") }
        _ = try WeightsOptions.mlaForm(mla)
    }

    func run() throws {
        let execution = try execution.execution()
        let checkpoint = try Checkpoint.open(weights)
        let tokenizer = try checkpoint.loadTokenizer()
        let files = try text.map { try InputFile.bytes($0) }
        let model = try checkpoint.model(bits: nil, execution: execution, mlaForm: WeightsOptions.mlaForm(mla))
        let found = try KVQuantCalibrator(engine: Engine(model: model, execution: execution))
            .run(texts: files.map { tokenizer.encode(bytes: $0) }, limit: tokens)
        try KVQuantCalibration.write(
            found.layers, for: checkpoint.calibration,
            metadata: [
                "texts": text.map { ($0 as NSString).lastPathComponent }.joined(separator: ", "),
                "texts_sha256": files.map { Models.digest(String(decoding: $0, as: UTF8.self)) }.joined(separator: ", "),
                "tokens": "\(found.tokens)",
            ])
        print("\(found.tokens) tokens; wrote \(checkpoint.calibration.path)")
    }
}
