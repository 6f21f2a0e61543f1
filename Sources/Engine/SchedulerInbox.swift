import Caches
import Foundation
import Synchronization

/// What comes to a scheduler from other threads.
final class SchedulerInbox: Sendable {
    enum Message: Sendable {
        case submitted(RequestID, ScheduledRequest, ContinuousClock.Instant)
        case cancelled(RequestID)
        /// The snapshot comes back so that the driving thread lets go of it.
        case saved(agent: String, version: Int, snapshot: CacheSnapshot, failure: String?)
        case loaded(agent: String, LoadedAgent)
    }

    private struct State {
        var messages: [Message] = []
        var nextNumber = 0
        /// Requests that were submitted and have not ended.
        var open = 0
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)

    /// - Returns: nil when `limit` requests are open already.
    func submit(_ request: ScheduledRequest, limit: Int) -> RequestID? {
        let id = state.withLock { state -> RequestID? in
            guard state.open < limit else { return nil }
            state.open += 1
            defer { state.nextNumber += 1 }
            let id = RequestID(number: state.nextNumber)
            state.messages.append(.submitted(id, request, ContinuousClock().now))
            return id
        }
        arrived.signal()
        return id
    }

    func send(_ message: Message) {
        state.withLock { $0.messages.append(message) }
        arrived.signal()
    }

    func ended() { state.withLock { $0.open -= 1 } }

    func takeAll() -> [Message] {
        state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
    }

    var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

    /// Sleeps until a message came since the last wait, or for so long.
    func wait(seconds: Double) {
        guard isEmpty else { return }
        _ = arrived.wait(timeout: .now() + seconds)
    }
}

/// An agent's cache as it came from its file.
struct LoadedAgent: Sendable {
    let cache: AgentCache
    let source: ScheduledTurn.Source
    let refusal: String
    let seconds: Double
}
