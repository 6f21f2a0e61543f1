import Caches
import Tensors

/// A request on its way through a scheduler.
final class SchedulerEntry {
    let id: RequestID
    let request: ScheduledRequest
    private let submitted: ContinuousClock.Instant
    /// The most bytes that its cache will take.
    let peakBytes: Int
    var turn: ScheduledTurn
    /// Set while it runs.
    var resident: SchedulerResidents.Resident?
    /// Steps with prompt tokens of others since it last had some.
    var passedOver = 0
    private var isStarted = false
    private var lastToken: ContinuousClock.Instant?

    init(id: RequestID, request: ScheduledRequest, submitted: ContinuousClock.Instant, peakBytes: Int) {
        self.id = id
        self.request = request
        self.submitted = submitted
        self.peakBytes = peakBytes
        turn = ScheduledTurn(id: id, request: request, submitted: submitted)
    }

    var agent: String { request.agent }
    var cache: AgentCache { resident!.cache }
    /// Prompt tokens that are not in the cache yet.
    var remaining: Int { max(0, request.prompt.count - cache.count) }
    var isDecoding: Bool { !turn.tokens.isEmpty }
    /// Bytes that it may still come to take.
    var promisedBytes: Int { max(0, peakBytes - cache.storedBytes) }

    /// A step with tokens of this request begins.
    func begin(_ now: ContinuousClock.Instant) {
        guard !isStarted else { return }
        isStarted = true
        turn.queuedSeconds = (now - submitted).seconds
    }

    /// - Returns: whether this was the last token.
    func take(_ token: Int32, at now: ContinuousClock.Instant) -> Bool {
        if let lastToken {
            turn.stepSeconds.append((now - lastToken).seconds)
        } else {
            turn.ttftSeconds = (now - submitted).seconds
        }
        lastToken = now
        turn.tokens.append(token)
        request.onToken?(token)
        return turn.tokens.count == request.maximumTokens || request.stopTokens.contains(token)
    }

    func end(_ outcome: ScheduledTurn.Outcome, at now: ContinuousClock.Instant) {
        turn.outcome = outcome
        turn.totalSeconds = (now - submitted).seconds
    }
}
