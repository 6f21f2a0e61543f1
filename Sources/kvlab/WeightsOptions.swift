import ArgumentParser
import Caches
import Engine
import Foundation
import Models
import Schemes

/// A checkpoint, and how to hold its weights.
struct WeightsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A HuggingFace or MLX folder, or a GGUF file.", valueName: "DIR|FILE.gguf"))
    var weights: String

    @Option(help: "Bits of the weights in memory: 4, 8, 16 or 32; as stored by default.")
    var weightBits: Int?

    @Option(help: "How latent attention caches: expanded or latent; nothing to other models.")
    var mla: String = MLAForm.expanded.rawValue

    @Option(help: "Cache scheme, one name or k=NAME,v=NAME; see kvlab schemes.")
    var kv: String = "affine-q4-g64"

    func validate() throws {
        _ = try Self.bits(weightBits)
        _ = try mlaForm()
    }

    static func bits(_ number: Int?) throws -> WeightBits? {
        try number.map { number in
            guard let bits = WeightBits(rawValue: number) else {
                throw ValidationError("--weight-bits must be 4, 8, 16 or 32, and is \(number).")
            }
            return bits
        }
    }

    func mlaForm() throws -> MLAForm { try Self.mlaForm(mla) }

    static func mlaForm(_ name: String) throws -> MLAForm {
        guard let form = MLAForm(rawValue: name), form != .none else {
            throw ValidationError("--mla must be expanded or latent, and is '\(name)'.")
        }
        return form
    }

    /// How caches of the checkpoint's model lie in memory; needs no weights.
    func layout(_ checkpoint: Checkpoint) throws -> CacheLayout {
        try CacheLayout(
            spec: checkpoint.cacheSpec(mlaForm: mlaForm()), scheme: CacheScheme(expression: kv))
    }

    /// Loads the model, with progress on standard error when it is a terminal.
    func model(_ checkpoint: Checkpoint, _ execution: Execution) throws -> any LanguageModel {
        let show = ProgressPrinter.bytes("Loading")
        let model = try checkpoint.model(
            bits: Self.bits(weightBits), execution: execution, mlaForm: mlaForm()
        ) { show($0.bytesRead, $0.bytesTotal) }
        show(1, 1)
        return model
    }
}
