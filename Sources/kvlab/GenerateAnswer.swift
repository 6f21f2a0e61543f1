import Engine
import Foundation

/// What `kvlab generate --json` prints: one object.
struct GenerateAnswer: Encodable {
    /// Why there is no further token: `stop` when the model ended its text, `length` at `--max-tokens`.
    enum Finish: String, Encodable { case stop, length }

    let text: String
    /// The tokens of `text`, and the stop token where there is one.
    let tokens: [Int32]
    let finish: Finish
    let promptTokens: Int
    /// Prompt tokens found in the agent's cache.
    let hitTokens: Int
    /// Computing what was not found, and choosing the first token.
    let ttftSeconds: Double
    /// Each token after the first.
    let stepSeconds: [Double]
    let agent: String?
    let kv: String
    let weights: String

    init(
        text: String, turn: AgentSession.Turn, stops: Set<Int32>, promptTokens: Int, agent: String?, kv: String,
        weights: String
    ) {
        self.text = text
        tokens = turn.tokens
        finish = turn.tokens.last.map(stops.contains) == true ? .stop : .length
        self.promptTokens = promptTokens
        hitTokens = turn.hitTokens
        ttftSeconds = turn.forwardSeconds + turn.sampleSeconds
        stepSeconds = turn.stepSeconds
        self.agent = agent
        self.kv = kv
        self.weights = weights
    }

    func print() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        FileHandle.standardOutput.write(try encoder.encode(self) + Data("\n".utf8))
    }
}
