import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

extension TTFTExperiment {
    /// One agent, one prompt: cold, hot and warm requests on it.
    final class Bench {
        struct Sample {
            var row: Row
        }

        private let engine: Engine
        private let layout: CacheLayout
        private let folder: AgentFolder
        private let prompt: [Int32]
        private let context: Int
        private let outputTokens: Int
        private let pool: BlockPool
        private var fileBytes = 0
        /// Tokens that the never saved cache gave, for the exact and the extended prompt.
        private var expected: [Bool: [Int32]] = [:]

        init(
            engine: Engine, scheme: String, caches: CacheFolder, prompt: [Int32], context: Int, extend: Int, outputTokens: Int
        ) throws {
            self.engine = engine
            layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: scheme))
            folder = caches.agent("agent")
            self.prompt = prompt
            self.context = context
            self.outputTokens = outputTokens
            pool = BlockPool(budgetBytes: 3 * layout.agentBytes(tokens: prompt.count + 2 * outputTokens + blockTokens))
        }

        /// Removes what was saved.
        func removeFiles() { try? folder.remove() }

        func warmUp() throws { try engine.warmUp(layout) }

        /// Nothing cached. What comes of it is what the others find.
        func cold() throws -> Sample {
            let cache = AgentCache(agent: "agent", layout: layout, pool: pool)
            let started = Self.now()
            let clock = ContinuousClock()
            let start = clock.now
            let turn = try AgentSession(engine: engine, cache: cache).respond(to: exact, maximumTokens: 1)
            let ttft = (clock.now - start).seconds
            let stored = cache.storedBytes
            let steps = try keep(cache)
            return sample(
                state: "cold", extended: false, pageCache: "none", turn: turn, stored: stored, ttft: ttft, stages: nil,
                steps: steps, started: started, bytesRead: 0, bytesWritten: fileBytes, same: -1)
        }

        /// Random rows instead of a cold request, for what the others find: the prompt must begin with as many tokens 0.
        func fill(seed: UInt64) throws {
            let cache = AgentCache(agent: "agent", layout: layout, pool: pool)
            try SyntheticContext(layout: layout, seed: seed, execution: engine.execution).fill(cache, to: context)
            _ = try keep(cache)
        }

        /// Saves a cache of the context for the others, and continues it without its ever having been saved, for the tokens
        /// that they must give.
        /// - Returns: the seconds of each decode step.
        private func keep(_ cache: AgentCache) throws -> [Double] {
            try folder.save(cache.snapshot(), identity: CacheIdentity(model: engine.model))
            fileBytes = folder.diskBytes

            // The extended request, and then the same one again, on the cache that never left memory: in this order, for the
            // second computes the last token of the context anew, and not in the chunk that it was computed in before.
            // Windowed layers may have let go of what the second needs; then there is nothing to compare with.
            let session = AgentSession(engine: engine, cache: cache)
            let extended = try session.respond(to: prompt, maximumTokens: outputTokens)
            expected[true] = extended.tokens
            if cache.truncatable.contains(context - 1) {
                expected[false] = try session.respond(to: exact, maximumTokens: outputTokens).tokens
            }
            return extended.stepSeconds
        }

        /// The agent's blocks are in the pool's memory.
        func hot(extended: Bool) throws -> Sample {
            let cache = try load(.copied).cache
            let started = Self.now()
            let clock = ContinuousClock()
            let start = clock.now
            let session = AgentSession(engine: engine, cache: cache)
            let turn = try session.respond(to: extended ? prompt : exact, maximumTokens: 1)
            let ttft = (clock.now - start).seconds
            let stored = cache.storedBytes
            let rest = try continued(session, turn)
            return sample(
                state: "hot", extended: extended, pageCache: "none", turn: turn, stored: stored, ttft: ttft, stages: nil,
                steps: rest.steps, started: started, bytesRead: 0, bytesWritten: 0,
                same: same(rest.tokens, extended))
        }

        /// The agent was evicted to disk.
        func warm(extended: Bool, pageCache: PageCache) throws -> Sample {
            let files = folder.files
            for file in files { pageCache == .dropped ? PageCacheControl.drop(file) : PageCacheControl.fill(file) }
            let found = PageCacheControl.state(of: files)
            let read = ProcessFacts.bytesRead()
            let started = Self.now()
            let clock = ContinuousClock()
            let start = clock.now
            let (cache, stages) = try load(.mapped)
            let session = AgentSession(engine: engine, cache: cache)
            let turn = try session.respond(to: extended ? prompt : exact, maximumTokens: 1)
            let ttft = (clock.now - start).seconds
            let stored = cache.storedBytes
            let bytesRead = read.flatMap { before in ProcessFacts.bytesRead().map { $0 - before } } ?? -1
            let rest = try continued(session, turn)
            return sample(
                state: "warm", extended: extended, pageCache: found, turn: turn, stored: stored, ttft: ttft,
                stages: stages, steps: rest.steps, started: started, bytesRead: bytesRead, bytesWritten: 0,
                same: same(rest.tokens, extended))
        }

        private var exact: [Int32] { Array(prompt.prefix(context)) }

        private func load(
            _ residence: StoredAgent.Residence
        ) throws -> (cache: AgentCache, stages: AgentFolder.LoadStages) {
            try folder.load(
                identity: CacheIdentity(model: engine.model), layout: layout, pool: pool,
                workers: engine.execution.workers, residence: residence)
        }

        /// The tokens after the first one, with the time of each step.
        private func continued(
            _ session: AgentSession, _ turn: AgentSession.Turn
        ) throws -> (tokens: [Int32], steps: [Double]) {
            let clock = ContinuousClock()
            var tokens = turn.tokens
            var steps: [Double] = []
            var mark = clock.now
            while tokens.count < outputTokens {
                tokens.append(try engine.decode(session.cache, tokens.last!))
                let now = clock.now
                steps.append((now - mark).seconds)
                mark = now
            }
            return (tokens, steps)
        }

        private func sample(
            state: String, extended: Bool, pageCache: String, turn: AgentSession.Turn, stored: Int, ttft: Double,
            stages: AgentFolder.LoadStages?, steps: [Double], started: Int64, bytesRead: Int, bytesWritten: Int, same: Int
        ) -> Sample {
            Sample(row: [
                "scheme": .string(layout.scheme.description),
                "state": .string(state),
                "variant": .string(extended ? "extend" : "exact"),
                "page_cache": .string(pageCache),
                "context_tokens": .int(Int64(turn.hitTokens + turn.newTokens)),
                "hit_tokens": .int(Int64(turn.hitTokens)),
                "new_tokens": .int(Int64(turn.newTokens)),
                "ttft_seconds": .double(ttft),
                "open_seconds": .double(stages?.open ?? .nan),
                "read_seconds": .double(stages?.read ?? .nan),
                "verify_seconds": .double(stages?.verify ?? .nan),
                "place_seconds": .double(stages?.place ?? .nan),
                "forward_seconds": .double(turn.forwardSeconds),
                "sample_seconds": .double(turn.sampleSeconds),
                "decode_step_seconds": .double(Statistics.median(steps)),
                "output_tokens": .int(Int64(outputTokens)),
                "same_tokens": .int(Int64(same)),
                "cache_bytes": .int(Int64(stored)),
                "file_bytes": .int(Int64(fileBytes)),
                "bytes_read": .int(Int64(bytesRead)),
                "bytes_written": .int(Int64(bytesWritten)),
                "peak_rss_bytes": .int(Int64(ProcessFacts.peakResidentBytes())),
                "first_token": .int(Int64(turn.tokens[0])),
                "started_at_ns": .int(started),
            ])
        }

        /// 1 when the tokens are those of the cache that was never saved, 0 when not, -1 when there are none of it.
        private func same(_ tokens: [Int32], _ extended: Bool) -> Int {
            expected[extended].map { $0 == tokens ? 1 : 0 } ?? -1
        }

        private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }
    }
}
