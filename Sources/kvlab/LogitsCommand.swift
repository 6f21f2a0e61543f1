import ArgumentParser
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

struct LogitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logits", abstract: "Write the logits at every position of a token sequence.",
        discussion: "Example: kvlab logits --weights models/llama-3.2-1b --tokens 1,2,3 --kv fp32 --compute reference --out logits.safetensors")

    @OptionGroup var weights: WeightsOptions
    @OptionGroup var execution: ExecutionOptions

    @Option(help: "Token ids, separated by commas.")
    var tokens: String

    @Option(help: "New tokens of one step.")
    var chunk: Int = Engine.prefillChunk

    @Option(help: "The safetensors file to write: tensor 'logits', f32, [tokens, vocabulary].")
    var out: String

    func validate() throws {
        guard try !ids().isEmpty else { throw ValidationError("--tokens names no token.") }
        guard chunk >= 1 else { throw ValidationError("--chunk must be at least 1.") }
    }

    func run() throws {
        let ids = try ids()
        let execution = try execution.execution()
        let checkpoint = try Checkpoint.open(weights.weights)
        let layout = try weights.layout(checkpoint)
        let model = try weights.model(checkpoint, execution)
        let cache = AgentCache(agent: "logits", layout: layout, pool: BlockPool(budgetBytes: .max))
        let engine = Engine(model: model, execution: execution)
        let rows = SafetensorsWriter.Declaration(name: "logits", dtype: .f32, shape: [ids.count, model.vocabularySize])
        try SafetensorsWriter.write(
            to: out, metadata: ["kv": layout.scheme.description, "weights": model.weightsLabel], tensors: [rows]
        ) { write in
            try engine.forEachLogits(cache, ids, chunk: chunk) { logits in
                try write(
                    UnsafeRawBufferPointer(start: logits.values, count: logits.rows * logits.vocabularySize * rows.dtype.size))
            }
        }
    }

    private func ids() throws -> [Int32] {
        try tokens.split(separator: ",").map { part in
            guard let id = Int32(part.filter { $0 != " " }) else {
                throw ValidationError("--tokens takes whole numbers separated by commas, and has '\(part)'.")
            }
            return id
        }
    }
}
