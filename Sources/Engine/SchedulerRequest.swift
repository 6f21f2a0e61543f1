import Caches
import Foundation

/// A turn that an agent asks for.
public struct ScheduledRequest: Sendable {
    public let agent: String
    /// The whole prompt; what the agent's cache has of it is not computed again.
    public let prompt: [Int32]
    public let maximumTokens: Int
    /// Tokens that end the turn; they are given out as its last.
    public var stopTokens: Set<Int32> = []
    /// Gets each token as it comes, on the thread that drives the scheduler.
    public var onToken: (@Sendable (Int32) -> Void)?

    public init(agent: String, prompt: [Int32], maximumTokens: Int) {
        self.agent = agent
        self.prompt = prompt
        self.maximumTokens = maximumTokens
    }
}

/// Names a request of a scheduler.
public struct RequestID: Hashable, Sendable {
    let number: Int
}

/// How a request ended, and how long everything took.
public struct ScheduledTurn: Sendable {
    public enum Outcome: Sendable, Equatable {
        case finished
        case cancelled
        /// The sentence of what went wrong.
        case failed(String)
    }

    /// Where the agent's cache was when its turn came.
    public enum Source: String, Sendable, CaseIterable {
        /// Nowhere: it was empty.
        case fresh
        /// In memory.
        case hot
        /// In its file, loaded while nothing else ran.
        case restored
        /// In its file, loaded while others ran.
        case prefetched
        /// In a file that could not be used; everything was computed again.
        case refused
    }

    public let id: RequestID
    public let agent: String
    public internal(set) var outcome = Outcome.finished
    public internal(set) var tokens: [Int32] = []
    public internal(set) var source = Source.fresh
    /// Why a file was refused; empty where none was.
    public internal(set) var refusal = ""
    public internal(set) var match = PromptMatch.none
    public internal(set) var promptTokens: Int
    /// Prompt tokens found in the cache.
    public internal(set) var hitTokens = 0
    /// Those of them that another agent had computed.
    public internal(set) var sharedTokens = 0
    /// When it was submitted.
    public let submitted: ContinuousClock.Instant
    /// From submitting to the first step with tokens of this request.
    public internal(set) var queuedSeconds = 0.0
    /// From submitting to the first token; NaN where there was none.
    public internal(set) var ttftSeconds = Double.nan
    /// From submitting to the end.
    public internal(set) var totalSeconds = 0.0
    /// Loading the cache, wherever that happened.
    public internal(set) var loadSeconds = 0.0
    /// The part of loading that kept everything waiting.
    public internal(set) var exposedLoadSeconds = 0.0
    /// Times between tokens, one for each token after the first.
    public internal(set) var stepSeconds: [Double] = []
    /// CRC-32C of the logits behind each token, where they are recorded.
    public internal(set) var logitChecksums: [UInt32] = []

    init(id: RequestID, request: ScheduledRequest, submitted: ContinuousClock.Instant) {
        self.id = id
        self.submitted = submitted
        agent = request.agent
        promptTokens = request.prompt.count
    }
}
