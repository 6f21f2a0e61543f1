import CKernels
import Dispatch
import Foundation
import Synchronization

/// A fixed set of threads that run the iterations of a parallel region together with the caller.
///
/// Idle workers spin for some tens of microseconds, so that the many short regions of a decode step do not
/// pay a wake-up each, and then sleep. Iterations are handed out dynamically: a body must write only what
/// its own index owns, and then results do not depend on the number of threads. A region allocates nothing.
/// One region runs at a time; a body must not start another.
public final class WorkerPool: Sendable {
    /// Threads that take part, the caller's included.
    public let threadCount: Int
    private let shared: Shared

    /// - Parameter threads: at least 1; all cores by default.
    public init(threads: Int = WorkerPool.coreCount) {
        threadCount = max(1, threads)
        shared = Shared(workers: threadCount - 1)
        for index in 0..<(threadCount - 1) {
            let shared = shared
            let thread = Thread { shared.work(index) }
            thread.name = "kvlab-worker-\(index)"
            thread.qualityOfService = .userInteractive
            thread.start()
        }
    }

    deinit { shared.stop() }

    /// Cores that this process may use.
    public static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Calls `body` once for each index in `0..<count` and returns when all calls have returned.
    /// - Parameter body: gets the index, and the number of the worker that runs it, in `0..<threadCount`: what it
    ///   may use for scratch memory of its own.
    public func run(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        if threadCount == 1 || count <= 1 {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var job = Job(body: body, count: count)
            withUnsafeMutablePointer(to: &job) { shared.run($0) }
        }
    }
}

private struct Job {
    let body: (_ index: Int, _ worker: Int) -> Void
    let count: Int
}

private final class Shared: @unchecked Sendable {
    private static let awake = 0
    private static let asleep = 1
    /// About 50 µs of waiting before a worker goes to sleep.
    private static let spins = 1_500

    private var job: UnsafeMutablePointer<Job>?
    private let generation = Atomic<Int>(0)
    private let next = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let region = Mutex(())
    private let sleepers: [Sleeper]

    init(workers: Int) {
        sleepers = (0..<workers).map { _ in Sleeper() }
    }

    func run(_ job: UnsafeMutablePointer<Job>) {
        region.withLock { _ in
            self.job = job
            next.store(0, ordering: .relaxed)
            busy.store(sleepers.count, ordering: .relaxed)
            generation.add(1, ordering: .sequentiallyConsistent)
            for sleeper in sleepers { sleeper.wake() }
            take(job, worker: 0)
            while busy.load(ordering: .acquiring) != 0 { kl_pause() }
            self.job = nil
        }
    }

    func work(_ index: Int) {
        var seen = 0
        while true {
            var spins = 0
            while generation.load(ordering: .acquiring) == seen {
                spins += 1
                if spins < Self.spins {
                    kl_pause()
                } else {
                    sleepers[index].sleep { self.generation.load(ordering: .sequentiallyConsistent) == seen }
                }
            }
            seen += 1
            if stopping.load(ordering: .acquiring) { return }
            take(job!, worker: index + 1)
            busy.subtract(1, ordering: .releasing)
        }
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        generation.add(1, ordering: .sequentiallyConsistent)
        for sleeper in sleepers { sleeper.wake() }
    }

    private func take(_ job: UnsafeMutablePointer<Job>, worker: Int) {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            if index >= job.pointee.count { return }
            job.pointee.body(index, worker)
        }
    }

    /// One worker's bed: a flag that says whether it lies there, and a semaphore to wake it.
    private final class Sleeper: Sendable {
        private let state = Atomic<Int>(Shared.awake)
        private let semaphore = DispatchSemaphore(value: 0)

        func sleep(while idle: () -> Bool) {
            state.store(Shared.asleep, ordering: .sequentiallyConsistent)
            if !idle(),
                state.compareExchange(
                    expected: Shared.asleep, desired: Shared.awake, ordering: .sequentiallyConsistent
                ).exchanged
            {
                return
            }
            semaphore.wait()
        }

        func wake() {
            if state.exchange(Shared.awake, ordering: .sequentiallyConsistent) == Shared.asleep {
                semaphore.signal()
            }
        }
    }
}
