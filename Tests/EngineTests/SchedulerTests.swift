import Caches
import Engine
import Foundation
import Models
import Synchronization
import Tensors
import Testing

@Suite(.serialized) struct SchedulerTests {
    private func scheduler(
        _ lab: TinyLab, agents: Int? = nil, tokens: Int = 4096, stored: Bool = true, policy: SchedulerPolicy = .init(),
        background: ConcurrentScheduler.Background = .threads
    ) throws -> ConcurrentScheduler {
        let probe = ConcurrentScheduler(engine: lab.engine, layout: lab.layout, pool: lab.pool, store: nil)
        let bytes = agents.map { $0 * probe.peakBytes(promptTokens: tokens, maximumTokens: 0) }
        let pool = BlockPool(budgetBytes: bytes ?? .max / 2)
        let store = try stored
            ? AgentFiles(
                folder: CacheFolder(path: lab.folder + "/agents-\(UUID().uuidString)"),
                identity: CacheIdentity(model: lab.model), layout: lab.layout, pool: pool, workers: WorkerPool(threads: 1))
            : nil
        return ConcurrentScheduler(
            engine: lab.engine, layout: lab.layout, pool: pool, store: store, policy: policy, background: background)
    }

    private func request(
        _ lab: TinyLab, _ agent: String, tokens: Int, seed: UInt64 = 1, maximum: Int
    ) -> ScheduledRequest {
        ScheduledRequest(agent: agent, prompt: lab.tokens(tokens, seed: seed), maximumTokens: maximum)
    }

    /// 10 agents in a budget for 3, 200 turns in random order, up to 6 open at once: every token is that of an agent
    /// alone with all memory, and every logit that of a scheduler that runs one agent at a time and evicts nobody.
    @Test(arguments: TinyShape.allCases, [Compute.reference, .fast])
    func pressureChangesNoToken(shape: TinyShape, compute: Compute) throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: compute, threads: 1, shape: shape)
        let conversation = Conversation(lab, agents: 10, turns: 200, longest: 200, seed: 11)
        var policy = SchedulerPolicy()
        policy.recordsLogits = true
        policy.prefillTokens = 160
        let pressed = try scheduler(lab, agents: 3, policy: policy)
        let (answers, turns) = try conversation.run(on: pressed, open: 6)
        #expect(turns.allSatisfy { $0.outcome == .finished && $0.source != .refused })
        #expect(pressed.statistics.evictions > 20 && pressed.statistics.loads > 20)
        #expect(pressed.statistics.lostCaches == 0 && pressed.statistics.failedSaves == 0)
        #expect(pressed.statistics.mixedSteps > 20 && pressed.statistics.largestBatch >= 3)

        policy.maximumBatch = 1
        policy.prefillTokens = 512
        let free = try scheduler(lab, stored: false, policy: policy)
        #expect(try conversation.run(on: free, open: 1).answers == answers)
        #expect(free.statistics.evictions == 0)
        #expect(try conversation.alone(lab) == answers.map(\.tokens))
    }

    /// Saves, loads, steps, arrivals and cancellations in seeded orders: no token changes.
    ///
    /// ThreadSanitizer cannot stand in for this on Linux: with Swift 6.3.1 it reports every contended lock of
    /// `Synchronization.Mutex`, whose slow path lies in a library that it does not see into.
    @Test(arguments: 0..<12)
    func interleavings(seed: UInt64) throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference, threads: 1)
        var random = SeededGenerator(seed: seed)
        let conversation = Conversation(lab, agents: 6, turns: 30, longest: 300, seed: seed)
        var policy = SchedulerPolicy()
        policy.maximumBatch = Int.random(in: 1...4, using: &random)
        policy.prefillTokens = [64, 128, 300, 512].randomElement(using: &random)!
        policy.decodeStepsPerChunk = Int.random(in: 0...2, using: &random)
        policy.prefetches = Bool.random(using: &random)
        let pressed = try scheduler(lab, agents: 2, policy: policy, background: .manual)
        var passersBy: [RequestID] = []
        let limit = Int.random(in: 1...5, using: &random)
        let (answers, _) = try conversation.run(on: pressed, open: limit) { _ in
            if Int.random(in: 0..<3, using: &random) == 0 { pressed.runBackgroundJob(saves: true) }
            if Int.random(in: 0..<3, using: &random) == 0 { pressed.runBackgroundJob(saves: false) }
            if Int.random(in: 0..<4, using: &random) == 0 {
                pressed.prefetch(["agent \(Int.random(in: 0..<6, using: &random))"])
            }
            // Others come, and go at any moment.
            if Int.random(in: 0..<6, using: &random) == 0 {
                let agent = "passer-by \(Int.random(in: 0..<3, using: &random))"
                passersBy.append(try pressed.submit(request(lab, agent, tokens: 200, maximum: 3)))
            }
            if let id = passersBy.randomElement(using: &random), Bool.random(using: &random) { pressed.cancel(id) }
        }
        #expect(try answers.map(\.tokens) == conversation.alone(lab))
        _ = try pressed.drain()
        pressed.checkInvariants()
    }

    /// While others decode, no more prompt tokens than allowed come between two of their tokens, and only at every
    /// fourth step; the prompt is answered all the same.
    @Test func aLongPromptHoldsNobodyUp() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
        var policy = SchedulerPolicy()
        policy.prefillTokens = 128
        policy.decodeStepsPerChunk = 3
        let scheduler = try scheduler(lab, stored: false, policy: policy)
        let rows = Mutex<[String: [Int]]>([:])
        for agent in ["a", "b", "c"] {
            var request = request(lab, agent, tokens: 20, maximum: 120)
            request.onToken = { _ in
                rows.withLock { $0[agent, default: []].append(scheduler.statistics.promptRows) }
            }
            try scheduler.submit(request)
        }
        for _ in 0..<3 { try scheduler.step() }
        try scheduler.submit(request(lab, "long", tokens: 3000, maximum: 4))
        let turns = try scheduler.drain()
        #expect(turns.count == 4 && turns.allSatisfy { $0.outcome == .finished })
        for (_, seen) in rows.withLock({ $0 }) {
            let between = zip(seen.dropFirst(4), seen.dropFirst(3)).map { $0 - $1 }
            #expect(between.allSatisfy { $0 <= 130 })
            let places = between.indices.filter { between[$0] > 0 }
            #expect(places.count > 20)
            #expect(zip(places.dropFirst(), places).allSatisfy { $0 - $1 >= 4 })
        }
        #expect(turns.first { $0.agent == "long" }?.tokens.count == 4)
    }

    /// With a bound on the time of a step, chunks shrink to what earlier steps say fits.
    @Test func chunksShrinkToTheTimeOfAStep() throws {
        var pace: [Int] = []
        for bound in [1e9, 1e-9] {
            let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
            var policy = SchedulerPolicy()
            policy.maximumStepSeconds = bound
            let scheduler = try scheduler(lab, stored: false, policy: policy)
            try scheduler.submit(request(lab, "a", tokens: 20, maximum: 100))
            for _ in 0..<5 { try scheduler.step() }
            try scheduler.submit(request(lab, "long", tokens: 3000, maximum: 1))
            let before = scheduler.statistics.steps
            while scheduler.statistics.promptRows < 3020 { #expect(try scheduler.step()) }
            pace.append(scheduler.statistics.steps - before)
        }
        #expect(pace[0] <= 8 && pace[1] >= 23, "\(pace)")
    }

    /// Short prompts go before a long one, but not for ever.
    @Test func nobodyStarves() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
        var policy = SchedulerPolicy()
        policy.prefillTokens = 128
        policy.patience = 4
        let scheduler = try scheduler(lab, stored: false, policy: policy)
        try scheduler.submit(request(lab, "long", tokens: 2000, maximum: 1))
        var order: [String] = []
        for index in 0..<60 {
            try scheduler.submit(request(lab, "short \(index)", tokens: 128, seed: UInt64(index), maximum: 1))
            if index > 2 { try scheduler.step() }
            order += scheduler.takeFinished().map(\.agent)
        }
        order += try scheduler.drain().map(\.agent)
        #expect(order.first == "short 0")
        let place = try #require(order.firstIndex(of: "long"))
        // 16 chunks, each after at most 4 + 8 steps of others.
        #expect(place > 4 && place < 61)
        #expect(scheduler.statistics.longestWait <= policy.patience + 8)
    }

    @Test func cancelledRequestsKeepWhatTheyHave() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
        let scheduler = try scheduler(lab)
        let expected = try AgentSession(engine: lab.engine, cache: lab.cache()).respond(to: lab.tokens(300), maximumTokens: 5)
        let id = try scheduler.submit(
            ScheduledRequest(agent: "tester", prompt: lab.tokens(300), maximumTokens: 100))
        let waiting = try scheduler.submit(
            ScheduledRequest(agent: "tester", prompt: lab.tokens(10), maximumTokens: 1))
        for _ in 0..<5 { try scheduler.step() }
        scheduler.cancel(id)
        scheduler.cancel(waiting)
        let turns = try scheduler.drain()
        #expect(turns.map(\.outcome) == [.cancelled, .cancelled])
        #expect(turns[0].tokens == expected.tokens)
        let again = lab.tokens(300) + expected.tokens + lab.tokens(10, seed: 4)
        try scheduler.submit(ScheduledRequest(agent: "tester", prompt: again, maximumTokens: 1))
        let next = try #require(try scheduler.drain().first)
        #expect(next.match == .extend && next.hitTokens == 304 && next.source == .hot)
        #expect(next.promptTokens == 315)
    }

    /// What cannot be served is refused in one sentence, before anything is computed.
    @Test func refusals() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
        var policy = SchedulerPolicy()
        policy.queueLimit = 2
        let scheduler = try scheduler(lab, agents: 1, tokens: 1000, policy: policy)
        #expect(throws: ModelsError.emptyPrompt) {
            try scheduler.submit(ScheduledRequest(agent: "a", prompt: [], maximumTokens: 1))
        }
        #expect(throws: ModelsError.contextTooLong(tokens: 8201, limit: 8192, model: "tiny")) {
            try scheduler.submit(request(lab, "a", tokens: 8200, maximum: 1))
        }
        let block = lab.layout.layers.reduce(0) { $0 + $1.blockBytes }
        let tooLarge = EngineError.agentTooLarge(agent: "a", needed: 9 * block, budget: 5 * block)
        #expect(throws: tooLarge) { try scheduler.submit(request(lab, "a", tokens: 2000, maximum: 1)) }
        #expect(
            "\(tooLarge)" == "Agent 'a' needs up to \(9 * block) bytes of cache for this request and the budget is "
                + "\(5 * block) bytes; shorten the prompt, ask for fewer tokens or raise the budget.")
        for agent in ["a", "b"] { try scheduler.submit(request(lab, agent, tokens: 900, maximum: 1)) }
        let full = EngineError.queueFull(agent: "c", waiting: 2)
        #expect(throws: full) { try scheduler.submit(request(lab, "c", tokens: 1, maximum: 1)) }
        #expect(
            "\(full)" == "The request of agent 'c' is refused: 2 are waiting, which is the limit; try again later.")
        #expect(try scheduler.drain().count == 2)
        try scheduler.submit(request(lab, "c", tokens: 1, maximum: 1))
        #expect(try scheduler.drain().map(\.agent) == ["c"])
    }

    /// A request that a step refuses ends alone; those beside it do not notice.
    @Test func oneBadRequestEndsAlone() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference, threads: 1)
        let expected = try AgentSession(engine: lab.engine, cache: lab.cache()).respond(to: lab.tokens(50), maximumTokens: 20)
        let scheduler = try scheduler(lab)
        try scheduler.submit(ScheduledRequest(agent: "good", prompt: lab.tokens(50), maximumTokens: 20))
        for _ in 0..<3 { try scheduler.step() }
        try scheduler.submit(ScheduledRequest(agent: "bad", prompt: [1, 2, 1000], maximumTokens: 20))
        let turns = try scheduler.drain()
        #expect(turns.map(\.agent) == ["bad", "good"])
        let error = ModelsError.tokenOutOfRange(token: 1000, position: 2, vocabulary: 1000)
        #expect(turns[0].outcome == .failed("\(error)"))
        #expect(turns[1].tokens == expected.tokens)
    }

    /// Where saving fails, agents that must go are computed again.
    @Test func failedSavesLoseNoToken() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference, threads: 1)
        let folder = lab.folder + "/gone"
        let pool = BlockPool(budgetBytes: lab.layout.agentBytes(tokens: 1500))
        let store = try AgentFiles(
            folder: CacheFolder(path: folder), identity: CacheIdentity(model: lab.model), layout: lab.layout, pool: pool,
            workers: WorkerPool(threads: 1))
        try FileManager.default.removeItem(atPath: folder)
        let scheduler = ConcurrentScheduler(engine: lab.engine, layout: lab.layout, pool: pool, store: store)
        let conversation = Conversation(lab, agents: 3, turns: 12, longest: 200, seed: 3)
        let (answers, _) = try conversation.run(on: scheduler, open: 1)
        #expect(scheduler.statistics.failedSaves > 0 && scheduler.statistics.lostCaches > 0)
        #expect(!scheduler.statistics.lastSaveFailure.isEmpty)
        #expect(try answers.map(\.tokens) == conversation.alone(lab))
    }

    /// While a save is under way, steps go on: nothing of it happens on their thread but taking a snapshot.
    @Test func savesAreOffTheSteps() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1)
        let scheduler = try scheduler(lab, background: .manual)
        try scheduler.submit(request(lab, "a", tokens: 300, maximum: 1))
        try scheduler.submit(request(lab, "b", tokens: 30, maximum: 400))
        while scheduler.statistics.decodeRows < 300 { try scheduler.step() }
        // The save of "a" was not even begun; "b" has decoded 300 tokens since.
        #expect(scheduler.statistics.saves == 0 && scheduler.takeFinished().map(\.agent) == ["a"])
        _ = try scheduler.drain()
        #expect(scheduler.statistics.saves == 2)
    }

    /// With `KVLAB_TIMING` set, on a machine with nothing else to do: saves of 8,000-token agents beside the steps make the
    /// median step of a decoding agent at most a tenth longer.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["KVLAB_TIMING"] != nil))
    func savesDoNotDelaySteps() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        func median(saves: Bool) throws -> Double {
            var policy = SchedulerPolicy()
            policy.saves = saves
            let scheduler = try scheduler(lab, policy: policy)
            try scheduler.submit(request(lab, "writer", tokens: 7900, maximum: 1))
            try scheduler.submit(request(lab, "decoder", tokens: 4000, maximum: 600))
            var prompt = lab.tokens(7900, seed: 1)
            var steps: [Double] = []
            while steps.isEmpty {
                try scheduler.step()
                for turn in scheduler.takeFinished() {
                    if turn.agent == "decoder" {
                        steps = turn.stepSeconds
                    } else if prompt.count < 8100 {
                        prompt += turn.tokens
                        try scheduler.submit(ScheduledRequest(agent: "writer", prompt: prompt, maximumTokens: 1))
                    }
                }
            }
            return steps.sorted()[steps.count / 2]
        }
        var ratios: [Double] = []
        for _ in 0..<5 { ratios.append(try median(saves: true) / median(saves: false)) }
        ratios.sort()
        print("median step with saves ÷ without: \(ratios)")
        #expect(ratios[2] <= 1.1)
    }
}
