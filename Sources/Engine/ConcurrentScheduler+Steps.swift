import CKernels
import Caches
import Models
import Tensors

/// What a step holds, and what comes of it.
extension ConcurrentScheduler {
    /// The part of a request in one step.
    struct Part {
        let entry: SchedulerEntry
        let tokens: ArraySlice<Int32>
        let isPrompt: Bool
        /// Does a token come of it?
        let givesToken: Bool

        var sequence: SequenceStep {
            SequenceStep(cache: entry.cache, tokens: tokens, wanted: givesToken ? .last : .none)
        }
    }

    /// One token of every decoding agent, then chunks of prompts: of the longest passed over first, else of the one that
    /// has least to go, so that a short prompt does not wait for a long one.
    func plan() -> [Part] {
        let decoding = running.filter(\.isDecoding)
        var parts = decoding.map {
            Part(entry: $0, tokens: $0.turn.tokens.suffix(1), isPrompt: false, givesToken: true)
        }
        var limit = pace.promptTokens(policy, decodeRows: decoding.count)
        guard limit > 0 else { return parts }
        let prefills = running.filter { !$0.isDecoding }.sorted { a, b in
            let late = (a.passedOver >= policy.patience, b.passedOver >= policy.patience)
            if late.0 != late.1 { return late.0 }
            if late.0 && a.passedOver != b.passedOver { return a.passedOver > b.passedOver }
            return a.remaining != b.remaining ? a.remaining < b.remaining : a.id.number < b.id.number
        }
        var room = engine.model.maximumStepTokens - decoding.count
        for (index, entry) in prefills.enumerated() {
            let (start, end) = (entry.cache.count, entry.request.prompt.count)
            let cut = PromptCuts.end(from: start, to: end, limit: max(1, min(limit, room)))
            // The first one moves on in any case.
            guard cut - start <= room, index == 0 || cut - start <= limit else { continue }
            parts.append(
                Part(
                    entry: entry, tokens: entry.request.prompt[start..<cut], isPrompt: true, givesToken: cut == end))
            limit -= cut - start
            room -= cut - start
            if limit <= 0 { break }
        }
        return parts
    }

    /// Runs a step and gives out its tokens. When it fails, each request runs alone, so that only the one at fault ends.
    func run(_ parts: [Part]) {
        let start = clock.now
        for part in parts { part.entry.begin(start) }
        do {
            let logits = try engine.model.forward(parts.map(\.sequence))
            let end = clock.now
            count(parts, seconds: (end - start).seconds)
            deliver(parts, logits, at: end)
        } catch {
            guard parts.count > 1 else {
                residents.remove(parts[0].entry.agent)
                leave(parts[0].entry, .failed("\(error)"))
                return
            }
            for part in parts { run([part]) }
        }
    }

    private func deliver(_ parts: [Part], _ logits: Logits, at end: ContinuousClock.Instant) {
        var row = 0
        for part in parts where part.givesToken {
            let token = engine.greedy(logits, row: row)
            if policy.recordsLogits {
                let values = UnsafeRawBufferPointer(logits.row(row))
                part.entry.turn.logitChecksums.append(kl_crc32c(0, values.baseAddress!, values.count))
            }
            row += 1
            if part.isPrompt { shared?.publish(part.entry.cache) }
            if part.entry.take(token, at: end) { leave(part.entry, .finished) }
        }
    }

    private func count(_ parts: [Part], seconds: Double) {
        let prompts = parts.filter(\.isPrompt)
        let promptRows = prompts.reduce(0) { $0 + $1.tokens.count }
        let decodeRows = parts.count - prompts.count
        statistics.steps += 1
        statistics.decodeRows += decodeRows
        statistics.promptRows += promptRows
        statistics.largestBatch = max(statistics.largestBatch, parts.count)
        if promptRows > 0 && decodeRows > 0 { statistics.mixedSteps += 1 }
        pace.record(seconds: seconds, decodeRows: decodeRows, promptRows: promptRows)
        guard promptRows > 0 else { return }
        for entry in running where !entry.isDecoding {
            if prompts.contains(where: { $0.entry === entry }) {
                entry.passedOver = 0
            } else {
                entry.passedOver += 1
                statistics.longestWait = max(statistics.longestWait, entry.passedOver)
            }
        }
    }

    /// A running request ends; its agent stays in memory, idle, and is saved.
    func leave(_ entry: SchedulerEntry, _ outcome: ScheduledTurn.Outcome) {
        running.removeAll { $0 === entry }
        batch.extract(entry.agent)
        let resident = entry.resident!
        resident.isBusy = false
        if residents[entry.agent] === resident {
            residents.touch(resident)
            saveBeside(entry.agent, resident)
        }
        end(entry, outcome)
    }

    func end(_ entry: SchedulerEntry, _ outcome: ScheduledTurn.Outcome) {
        entry.end(outcome, at: clock.now)
        finished.append(entry.turn)
        inbox.ended()
    }
}
