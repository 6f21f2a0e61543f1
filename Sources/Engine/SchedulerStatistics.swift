/// What a scheduler did so far.
public struct SchedulerStatistics: Sendable, Equatable {
    public internal(set) var steps = 0
    /// Steps that had tokens of decoding agents and of a prompt.
    public internal(set) var mixedSteps = 0
    /// Tokens that went through the model: of decoding agents, and of prompts.
    public internal(set) var decodeRows = 0
    public internal(set) var promptRows = 0
    /// The most agents of one step.
    public internal(set) var largestBatch = 0
    /// The most steps that a prefill was passed over by shorter ones in a row.
    public internal(set) var longestWait = 0
    public internal(set) var evictions = 0
    /// Evicted agents whose last turn was not saved: their next one computes it again.
    public internal(set) var lostCaches = 0
    public internal(set) var loads = 0
    /// Files that could not be used.
    public internal(set) var refusals = 0
    public internal(set) var saves = 0
    public internal(set) var failedSaves = 0
    /// Why the last save failed; empty when none did.
    public internal(set) var lastSaveFailure = ""
    /// Bytes of the caches that were loaded.
    public internal(set) var bytesLoaded = 0
}
