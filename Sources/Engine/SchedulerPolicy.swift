/// What a ``ConcurrentScheduler`` may do.
public struct SchedulerPolicy: Sendable {
    /// Agents that run together at most.
    public var maximumBatch = 8
    /// Prompt tokens of one step at most; a chunk that no cut allows to be so short is up to 130 tokens long.
    public var prefillTokens = 512
    /// How long a step may take while agents decode, in seconds. Chunks are made as short as the rate of earlier steps
    /// tells, down to ``PromptCuts/longestChunk(limit:)`` of 1 token.
    public var maximumStepSeconds: Double?
    /// Steps without prompt tokens between two steps with some, while agents decode: with 3, a prefill takes at most
    /// every fourth step.
    public var decodeStepsPerChunk = 0
    /// Steps that a prefill may be passed over by shorter ones before it goes first.
    public var patience = 8
    /// Requests that may wait; further ones are refused.
    public var queueLimit = 1024
    /// Are caches of agents that wait brought in while others decode?
    public var prefetches = true
    /// Are caches written after each turn? Else they are gone when they are evicted.
    public var saves = true
    /// May agents whose prompts begin with the same blocks of 256 tokens hold them together? Off, for isolation: see
    /// ``SharedPrefixes``.
    public var sharesPrefixes = false
    /// A checksum of each row of logits, for comparing runs bit by bit.
    public var recordsLogits = false

    public init() {}
}
