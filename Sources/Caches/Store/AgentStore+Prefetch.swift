import Dispatch
import Foundation
import Synchronization
import Tensors

extension AgentStore {
    /// A prefetch that was asked for.
    final class Prefetch: Sendable {
        enum Stage { case queued, running, overtaken, done }
        let stage = Mutex(Stage.queued)
        let finished = DispatchGroup()

        init() { finished.enter() }

        func advance(from: Stage, to: Stage) -> Bool {
            stage.withLock { stage in
                guard stage == from else { return false }
                stage = to
                return true
            }
        }
    }

    /// Brings an agent into memory on another thread, while this one decodes. Where the budget is full of pinned agents its
    /// blocks are read and checked all the same, so that little is left to do. Agents are prefetched one at a time, in the
    /// order they were asked for.
    public func prefetch(_ agent: String) {
        let id = CacheFolder.id(of: agent)
        let job = state.withLock { state -> Prefetch? in
            var entry = state.entries[id, default: Entry(agent: agent)]
            guard entry.cache == nil, entry.prefetch == nil, entry.pins == 0, !entry.isReady else { return nil }
            let job = Prefetch()
            entry.prefetch = job
            state.entries[id] = entry
            state.statistics.prefetches += 1
            return job
        }
        guard let job else { return }
        prefetcher.async {
            if job.advance(from: .queued, to: .running) { self.run(agent) }
            self.state.withLock { state in
                if state.entries[id]?.prefetch === job { state.entries[id]!.prefetch = nil }
            }
            job.finished.leave()
        }
    }

    /// Waits until every prefetch is done.
    public func waitForPrefetches() { prefetcher.sync {} }

    /// Whatever is wrong with the files is found again, and told, by the check-out.
    private func run(_ agent: String) {
        let id = CacheFolder.id(of: agent)
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let warm = state.withLock { $0.entries[id]?.stored }
            let stored = try warm ?? folder.agent(agent).open(identity: identity, layout: layout)
            stored.read(workers: nil)
            try stored.verify(workers: nil)
            state.withLock { state in
                state.entries[id]?.stored = stored
                state.entries[id]?.isReady = true
                state.entries[id]?.isPrefetched = true
                // Pinned until it is placed: it does not make room for itself.
                state.entries[id]?.pins += 1
            }
            defer { unpin(agent) }
            let cache = try? stored.place(in: pool)
            state.withLock { state in
                if let cache {
                    state.entries[id]?.cache = cache
                    if folder.isEncrypted { state.entries[id]?.stored = nil }
                    state.statistics.prefetchedHot += 1
                } else {
                    state.statistics.prefetchedPages += 1
                }
            }
        } catch {}
        state.withLock { state in
            state.statistics.prefetchSeconds += (clock.now - start).seconds
            state.entries[id]?.reloadSeconds = (clock.now - start).seconds
        }
    }

    /// Waits for a prefetch of the agent that runs, and overtakes one that has not begun.
    func waitForPrefetch(_ agent: String) {
        let id = CacheFolder.id(of: agent)
        guard let job = state.withLock({ $0.entries[id]?.prefetch }) else { return }
        if job.advance(from: .queued, to: .overtaken) {
            state.withLock { $0.statistics.prefetchesOvertaken += 1 }
            return
        }
        guard job.finished.wait(timeout: .now()) == .timedOut else { return }
        state.withLock { $0.statistics.prefetchWaits += 1 }
        job.finished.wait()
    }
}
