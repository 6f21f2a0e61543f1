import Caches
import Models

/// Who may run: messages, room in the budget, loading and evicting.
extension ConcurrentScheduler {
    func takeMessages() {
        for message in inbox.takeAll() {
            switch message {
            case .submitted(let id, let request, let instant):
                let peak = peakBytes(promptTokens: request.prompt.count, maximumTokens: request.maximumTokens)
                waiting.append(SchedulerEntry(id: id, request: request, submitted: instant, peakBytes: peak))
            case .cancelled(let id): cancelNow(id)
            case .saved(let agent, let version, _, let failure): saved(agent, version, failure)
            case .loaded(let agent, let loaded): loadedBeside(agent, loaded)
            }
        }
    }

    private func cancelNow(_ id: RequestID) {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            end(waiting.remove(at: index), .cancelled)
        } else if let entry = running.first(where: { $0.id == id }) {
            leave(entry, .cancelled)
        }
    }

    /// Starts waiting requests, first come, first served: one that finds no room keeps those behind it waiting, one whose
    /// agent is busy or on its way does not.
    func admit() {
        var index = 0
        var seen: Set<String> = []
        while index < waiting.count, running.count < maximumBatch {
            let entry = waiting[index]
            index += 1
            // An agent's turns keep their order.
            guard seen.insert(entry.agent).inserted, loading[entry.agent] == nil else { continue }
            if let resident = residents[entry.agent] {
                guard !resident.isBusy else { continue }
                guard makeRoom(for: entry.peakBytes - resident.cache.storedBytes, keeping: entry.agent) else { return }
                index -= 1
                waiting.remove(at: index)
                start(entry, resident)
                continue
            }
            guard makeRoom(for: entry.peakBytes, keeping: entry.agent) else { return }
            guard let storage, let bytes = storage.fileBytes(of: entry.agent) else {
                let cache = AgentCache(agent: entry.agent, layout: layout, pool: pool)
                residents.add(cache, arrival: nil)
                index -= 1
                seen.remove(entry.agent)
                continue
            }
            if running.isEmpty {
                let loaded = storage.load(entry.agent, source: .restored)
                arrive(loaded)
                entry.turn.exposedLoadSeconds = loaded.seconds
                index -= 1
                seen.remove(entry.agent)
            } else {
                load(entry.agent, bytes: max(bytes, entry.peakBytes))
            }
        }
    }

    private func start(_ entry: SchedulerEntry, _ resident: SchedulerResidents.Resident) {
        entry.resident = resident
        resident.isBusy = true
        residents.change(resident)
        residents.touch(resident)
        if let arrival = resident.arrival {
            entry.turn.source = arrival.source
            entry.turn.refusal = arrival.refusal
            entry.turn.loadSeconds = arrival.seconds
            resident.arrival = nil
        } else {
            entry.turn.source = resident.cache.count == 0 ? .fresh : .hot
        }
        running.append(entry)
        batch.merge(resident.cache)
        do {
            (entry.turn.match, entry.turn.hitTokens) = try resident.cache.keepPrefix(of: entry.request.prompt)
            if let shared {
                let own = entry.turn.hitTokens
                entry.turn.hitTokens = shared.extend(resident.cache, along: entry.request.prompt)
                entry.turn.sharedTokens = entry.turn.hitTokens - own
            }
        } catch {
            leave(entry, .failed("\(error)"))
        }
    }

    // MARK: Room

    /// Evicts idle agents until `bytes` more fit beside all that running requests may come to take.
    private func makeRoom(for bytes: Int, keeping agent: String) -> Bool {
        let promised = running.reduce(0) { $0 + $1.promisedBytes } + loading.values.reduce(0, +)
        func fits() -> Bool { pool.usedBytes + promised + bytes <= pool.budgetBytes }
        if fits() { return true }
        let upcoming = waiting.map(\.agent) + hints
        for name in residents.evictable(upcoming: upcoming, unsaved: storage == nil || !policy.saves)
        where name != agent {
            evict(name)
            if fits() { return true }
        }
        // Agents that could not be saved go only where everything would stand still.
        guard running.isEmpty, !saver.isBusy, !loader.isBusy, inbox.isEmpty else { return false }
        for name in residents.evictable(upcoming: upcoming, unsaved: true) where name != agent {
            evict(name)
            if fits() { return true }
        }
        return false
    }

    private func evict(_ agent: String) {
        statistics.evictions += 1
        if !residents[agent]!.isSaved { statistics.lostCaches += 1 }
        residents.remove(agent)
    }

    // MARK: Loading

    /// Brings in the agents that come next while there is room that nobody else wants.
    func fetchNext() {
        guard policy.prefetches, let storage, loading.isEmpty, !running.isEmpty else { return }
        let upcoming = waiting.map(\.agent) + hints
        for (place, agent) in upcoming.enumerated() where residents[agent] == nil {
            guard let bytes = storage.fileBytes(of: agent) else { continue }
            guard makeIdleRoom(for: bytes, before: Set(upcoming[...place])) else { return }
            load(agent, bytes: bytes)
            return
        }
    }

    /// Room for an agent that does not run yet, at the cost only of idle agents whose turns come later.
    private func makeIdleRoom(for bytes: Int, before sooner: Set<String>) -> Bool {
        let slack = layout.layers.reduce(0) { $0 + $1.blockBytes }
        let promised = running.reduce(0) { $0 + $1.promisedBytes }
        func fits() -> Bool { pool.usedBytes + promised + bytes + slack <= pool.budgetBytes }
        let upcoming = waiting.map(\.agent) + hints
        for name in residents.evictable(upcoming: upcoming, unsaved: storage == nil || !policy.saves)
        where !sooner.contains(name) {
            if fits() { return true }
            evict(name)
        }
        return fits()
    }

    private func load(_ agent: String, bytes: Int) {
        loading[agent] = bytes
        let (storage, inbox) = (storage!, inbox)
        loader.submit { inbox.send(.loaded(agent: agent, storage.load(agent, source: .prefetched))) }
    }

    private func loadedBeside(_ agent: String, _ loaded: LoadedAgent) {
        loading[agent] = nil
        arrive(loaded)
    }

    private func arrive(_ loaded: LoadedAgent) {
        statistics.loads += 1
        statistics.bytesLoaded += loaded.cache.storedBytes
        if loaded.source == .refused { statistics.refusals += 1 }
        residents.add(loaded.cache, arrival: loaded)
    }

    // MARK: Saving

    /// Hands a snapshot of an agent that has no turn to the saving thread.
    func saveBeside(_ agent: String, _ resident: SchedulerResidents.Resident) {
        guard let storage, policy.saves, !resident.isSaving, !resident.isSaved, resident.cache.count > 0 else { return }
        let snapshot: CacheSnapshot
        do {
            snapshot = try resident.cache.snapshot()
        } catch {
            statistics.failedSaves += 1
            statistics.lastSaveFailure = "\(error)"
            return
        }
        resident.savingVersion = resident.version
        let (version, inbox) = (resident.version, inbox)
        saver.submit {
            let failure = storage.save(snapshot)
            inbox.send(.saved(agent: agent, version: version, snapshot: snapshot, failure: failure))
        }
    }

    private func saved(_ agent: String, _ version: Int, _ failure: String?) {
        // The agent may have been let go of after an error, and may even be back.
        guard let resident = residents[agent], resident.savingVersion == version else { return }
        resident.savingVersion = nil
        if let failure {
            statistics.failedSaves += 1
            statistics.lastSaveFailure = failure
            return
        }
        statistics.saves += 1
        resident.savedVersion = version
        // There may have been another turn meanwhile.
        if !resident.isBusy { saveBeside(agent, resident) }
    }
}
