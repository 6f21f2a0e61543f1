import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// A thread that does one job after another beside the steps, at a lower priority.
///
/// Without a thread, jobs wait until ``runOne()`` is called: so a test decides when each of them happens.
final class SchedulerLane: Sendable {
    typealias Job = @Sendable () -> Void

    /// The queue, which outlives the lane while its thread works.
    private final class Queue: Sendable {
        let jobs = Mutex<(waiting: [Job], isRunning: Bool, isStopped: Bool)>(([], false, false))
        let available = DispatchSemaphore(value: 0)

        func runOne() -> Bool {
            let job = jobs.withLock { state -> Job? in
                guard !state.waiting.isEmpty else { return nil }
                state.isRunning = true
                return state.waiting.removeFirst()
            }
            guard let job else { return false }
            job()
            jobs.withLock { $0.isRunning = false }
            return true
        }
    }

    private let queue = Queue()

    /// - Parameters:
    ///   - name: of the thread.
    ///   - niceness: how far the thread steps back behind the steps, 0...19; nil for no thread.
    init(name: String, niceness: Int32?) {
        guard let niceness else { return }
        let queue = queue
        let thread = Thread {
            Self.stepBack(niceness)
            while true {
                queue.available.wait()
                if queue.jobs.withLock({ $0.isStopped && $0.waiting.isEmpty }) { return }
                _ = queue.runOne()
            }
        }
        thread.name = name
        thread.start()
    }

    /// Jobs that were submitted are still done.
    deinit {
        queue.jobs.withLock { $0.isStopped = true }
        queue.available.signal()
    }

    func submit(_ job: @escaping Job) {
        queue.jobs.withLock { $0.waiting.append(job) }
        queue.available.signal()
    }

    /// Is a job waiting or running?
    var isBusy: Bool { queue.jobs.withLock { $0.isRunning || !$0.waiting.isEmpty } }

    /// Does the next job on this thread; false when there is none. For lanes without a thread.
    func runOne() -> Bool { queue.runOne() }

    /// Lowers the priority of the calling thread only.
    private static func stepBack(_ niceness: Int32) {
        #if canImport(Darwin)
            pthread_set_qos_class_self_np(niceness >= 15 ? QOS_CLASS_BACKGROUND : QOS_CLASS_UTILITY, 0)
        #else
            // On Linux, who = 0 is the calling thread.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        #endif
    }
}
