import ArgumentParser
import Caches
import Engine
import Foundation
import Models
import Schemes
import Text

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Continue a text, greedily; an agent goes on from its saved cache.",
        discussion: "Example: kvlab generate --weights models/llama-3.2-1b --prompt 'Once upon a time' --agent anna --cache-dir caches")

    @OptionGroup var weights: WeightsOptions
    @OptionGroup var execution: ExecutionOptions

    @Option(help: "The text to continue.")
    var prompt: String?

    @Option(help: "A file with the text to continue.")
    var promptFile: String?

    @Flag(help: "Write the prompt as a user's message in the model family's chat template.")
    var chat = false

    @Option(help: "The agent whose cache to use and to save; any name.")
    var agent: String?

    @Option(help: "The folder of agents' caches.")
    var cacheDir: String?

    @OptionGroup var key: CacheKeyOptions

    @Option(help: "Tokens to generate at most.")
    var maxTokens: Int = 128

    @Flag(help: "Print one JSON object: text, tokens, finish, promptTokens, hitTokens, ttftSeconds, stepSeconds.")
    var json = false

    func validate() throws {
        guard (prompt == nil) != (promptFile == nil) else { throw ValidationError("Give --prompt or --prompt-file.") }
        guard (agent == nil) == (cacheDir == nil) else { throw ValidationError("--agent and --cache-dir go together.") }
        guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be at least 1.") }
    }

    func run() throws {
        let execution = try execution.execution()
        let checkpoint = try Checkpoint.open(weights.weights)
        let tokenizer = try checkpoint.loadTokenizer()
        let text = try text()
        let ids = try encode(text, tokenizer, checkpoint)
        let layout = try weights.layout(checkpoint)
        let model = try weights.model(checkpoint, execution)
        let pool = BlockPool(budgetBytes: .max)
        let store = try cacheDir.map { folder in
            AgentStore(
                folder: try CacheFolder(path: folder, key: key.key()),
                identity: CacheIdentity(model: model, tokenizer: try checkpoint.tokenizerFingerprint()), layout: layout,
                pool: pool, workers: execution.workers)
        }
        let cache = try cache(store, layout, pool)
        let session = AgentSession(engine: Engine(model: model, execution: execution), cache: cache)
        var stream = tokenizer.streamDecoder()
        var answer = ""
        let stops = Set(tokenizer.specialTokens.stopIDs)
        let turn = try session.respond(to: ids, maximumTokens: maxTokens) { token in
            if stops.contains(token) { return false }
            let piece = stream.push(token)
            answer += piece
            if !json { FileHandle.standardOutput.write(Data(piece.utf8)) }
            return true
        }
        let rest = stream.finish()
        answer += rest
        if !json { print(rest) }
        cache.textHash = digest(text)
        try store?.checkIn(cache, save: .now)
        if json {
            try GenerateAnswer(
                text: answer, turn: turn, stops: stops, promptTokens: ids.count, agent: agent,
                kv: layout.scheme.description, weights: model.weightsLabel
            ).print()
            return
        }
        Failure.printError(
            String(
                format: "%d prompt tokens, %d of them from the cache; %.3f s to the first token; %d tokens generated.",
                ids.count, turn.hitTokens, turn.forwardSeconds + turn.sampleSeconds, turn.tokens.count))
    }

    /// The agent's cache, or one of nobody.
    private func cache(_ store: AgentStore?, _ layout: CacheLayout, _ pool: BlockPool) throws -> AgentCache {
        guard let store, let agent else { return AgentCache(agent: "", layout: layout, pool: pool) }
        let out = try store.checkOut(agent)
        if case .refused(let reason) = out.found { Failure.printError("\(reason) The prompt is computed afresh.") }
        return out.cache
    }

    private func text() throws -> String {
        if let prompt { return prompt }
        return String(decoding: try InputFile.bytes(promptFile ?? ""), as: UTF8.self)
    }

    private func encode(_ text: String, _ tokenizer: Tokenizer, _ checkpoint: Checkpoint) throws -> [Int32] {
        guard chat else { return tokenizer.encode(text) }
        return try tokenizer.encode(
            chat: [ChatMessage(.user, text)], template: checkpoint.chatTemplate, addGenerationPrompt: true)
    }
}
