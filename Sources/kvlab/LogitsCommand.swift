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

    @Option(help: "Token ids that come first, and of which no logits are written.")
    var before: String?

    @Option(help: "A card whose tokens come before those of --tokens, behind those of --before.")
    var card: String?

    @Option(help: "Write a card of all that was run.")
    var cardOut: String?

    @Option(help: "New tokens of one step.")
    var chunk: Int = Engine.prefillChunk

    @Option(help: "The safetensors file to write: tensor 'logits', f32, [tokens, vocabulary].")
    var out: String

    func validate() throws {
        guard try !ids(tokens).isEmpty else { throw ValidationError("--tokens names no token.") }
        if let before { _ = try ids(before, option: "--before") }
        guard chunk >= 1 else { throw ValidationError("--chunk must be at least 1.") }
    }

    func run() throws {
        let ids = try ids(tokens)
        let execution = try execution.execution()
        let checkpoint = try Checkpoint.open(weights.weights)
        let layout = try weights.layout(checkpoint)
        let model = try weights.model(checkpoint, execution)
        let cache = AgentCache(agent: "logits", layout: layout, pool: BlockPool(budgetBytes: .max))
        let engine = Engine(model: model, execution: execution)
        let tokenizer = try checkpoint.tokenizerFingerprint()
        if let before { try engine.prefill(cache, self.ids(before), chunk: chunk) }
        if let card { try engine.inject(SealedCard(path: card).open(), into: cache, tokenizer: tokenizer, anyScheme: true) }
        let rows = SafetensorsWriter.Declaration(name: "logits", dtype: .f32, shape: [ids.count, model.vocabularySize])
        try SafetensorsWriter.write(
            to: out, metadata: ["kv": layout.scheme.description, "weights": model.weightsLabel], tensors: [rows]
        ) { write in
            try engine.forEachLogits(cache, ids, chunk: chunk) { logits in
                try write(
                    UnsafeRawBufferPointer(start: logits.values, count: logits.rows * logits.vocabularySize * rows.dtype.size))
            }
        }
        if let cardOut { try engine.card(of: cache, tokenizer: tokenizer).write(to: cardOut) }
    }

    private func ids(_ text: String, option: String = "--tokens") throws -> [Int32] {
        try text.split(separator: ",").map { part in
            guard let id = Int32(part.filter { $0 != " " }) else {
                throw ValidationError("\(option) takes whole numbers separated by commas, and has '\(part)'.")
            }
            return id
        }
    }
}
