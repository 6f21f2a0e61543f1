import Caches
import Engine
import Foundation
import Models
import Tensors
import Testing

/// Agents whose prompts begin alike, and hold the beginning together.
@Suite struct SharedPrefixesTests {
    /// 700 tokens that all prompts begin with, of which two blocks can be shared, and the agent's own.
    private func prompt(_ lab: TinyLab, _ seed: UInt64) -> [Int32] { lab.tokens(700, seed: 90) + lab.tokens(80, seed: seed) }

    /// The second agent computes nothing of the shared blocks, and gets the tokens and the cache that it gets alone.
    @Test(arguments: TinyShape.allCases, ["affine-q4-g64", "k=q8_0,v=fp16"])
    func sameTokens(shape: TinyShape, scheme: String) throws {
        let lab = try TinyLab(scheme: scheme, compute: .fast, shape: shape)
        let shared = SharedPrefixes(layout: lab.layout)
        let first = AgentSession(engine: lab.engine, cache: lab.cache("first"), shared: shared)
        #expect(try first.respond(to: prompt(lab, 1), maximumTokens: 3).sharedTokens == 0)
        let before = lab.pool.usedBytes
        let second = AgentSession(engine: lab.engine, cache: lab.cache("second"), shared: shared)
        let turn = try second.respond(to: prompt(lab, 2), maximumTokens: 12)
        let alone = AgentSession(engine: lab.engine, cache: lab.cache("alone"))
        let expected = try alone.respond(to: prompt(lab, 2), maximumTokens: 12)
        #expect(turn.tokens == expected.tokens)
        // Windowed layers have let go of what the second agent would need.
        let given = shape == .gemma ? 0 : 512
        #expect(turn.sharedTokens == given && turn.hitTokens == given && turn.newTokens == 780 - given)
        #expect(expected.sharedTokens == 0 && expected.newTokens == 780)
        // The shared blocks count once.
        let twice = lab.layout.layers.reduce(0) { $0 + $1.heldBlocks(at: given).count * $1.blockBytes }
        #expect(lab.pool.usedBytes - before == second.cache.storedBytes - twice + alone.cache.storedBytes)
    }

    /// Whoever goes back and on writes to blocks of their own.
    @Test func nobodyWritesToOthers() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference)
        let shared = SharedPrefixes(layout: lab.layout)
        let sessions = try ["a", "b"].map { AgentSession(engine: lab.engine, cache: lab.cache($0), shared: shared) }
        for session in sessions { _ = try session.respond(to: prompt(lab, 1), maximumTokens: 2) }
        // b parts from the others in the middle of the second block.
        let other = lab.tokens(300, seed: 90) + lab.tokens(400, seed: 5)
        let turn = try sessions[1].respond(to: other, maximumTokens: 6)
        #expect(turn.hitTokens == 300 && turn.sharedTokens == 0)
        let alone = try AgentSession(engine: lab.engine, cache: lab.cache("alone")).respond(to: other, maximumTokens: 6)
        let again = try sessions[0].respond(to: prompt(lab, 1) + [7], maximumTokens: 6)
        let fresh = try AgentSession(engine: lab.engine, cache: lab.cache("fresh")).respond(
            to: prompt(lab, 1) + [7], maximumTokens: 6)
        #expect(turn.tokens == alone.tokens && again.tokens == fresh.tokens)
    }

    /// A prefix goes with the last agent that holds it; a scheme with a residual window and a short prefix share nothing.
    @Test func nothingToShare() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let shared = SharedPrefixes(layout: lab.layout)
        func respond(_ prompt: [Int32]) throws -> AgentSession.Turn {
            try AgentSession(engine: lab.engine, cache: lab.cache(), shared: shared).respond(to: prompt, maximumTokens: 1)
        }
        _ = try respond(prompt(lab, 1))
        #expect(lab.pool.usedBytes == 0)
        #expect(try respond(prompt(lab, 2)).hitTokens == 0)
        let kept = AgentSession(engine: lab.engine, cache: lab.cache("kept"), shared: shared)
        _ = try kept.respond(to: prompt(lab, 1), maximumTokens: 1)
        #expect(try respond(Array(prompt(lab, 1).prefix(256))).sharedTokens == 0)
        #expect(try respond(Array(prompt(lab, 1).prefix(257))).sharedTokens == 256)

        let waiting = try TinyLab(scheme: "kivi-4", compute: .fast)
        let none = SharedPrefixes(layout: waiting.layout)
        let first = AgentSession(engine: waiting.engine, cache: waiting.cache("first"), shared: none)
        _ = try first.respond(to: prompt(waiting, 1), maximumTokens: 1)
        let second = AgentSession(engine: waiting.engine, cache: waiting.cache("second"), shared: none)
        #expect(try second.respond(to: prompt(waiting, 2), maximumTokens: 1).hitTokens == 0)
    }

    /// Agents of a scheduler: shared blocks are saved once for each, and not again; the tokens are those of agents who share
    /// nothing, also after an eviction.
    @Test func scheduled() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        func run(shares: Bool) throws -> (tokens: [String: [Int32]], shared: Int, folder: CacheFolder) {
            let folder = try CacheFolder(path: lab.folder + "/agents-\(shares)")
            let pool = BlockPool(budgetBytes: 64 << 20)
            let store = try AgentFiles(
                folder: folder, identity: CacheIdentity(model: lab.model), layout: lab.layout, pool: pool,
                workers: WorkerPool(threads: 1))
            var policy = SchedulerPolicy()
            policy.sharesPrefixes = shares
            policy.maximumBatch = 2
            let scheduler = ConcurrentScheduler(
                engine: lab.engine, layout: lab.layout, pool: pool, store: store, policy: policy)
            var tokens: [String: [Int32]] = [:]
            var sharedTokens = 0
            for round in 0..<3 {
                for agent in 0..<4 {
                    let text = prompt(lab, UInt64(agent)) + lab.tokens(20 * round, seed: UInt64(50 + agent))
                    try scheduler.submit(ScheduledRequest(agent: "agent \(agent)", prompt: text, maximumTokens: 4))
                }
                for turn in try scheduler.drain() {
                    #expect(turn.outcome == .finished)
                    tokens["\(turn.agent), round \(round)"] = turn.tokens
                    sharedTokens += turn.sharedTokens
                }
                scheduler.checkInvariants()
            }
            return (tokens, sharedTokens, folder)
        }
        let (tokens, shared, folder) = try run(shares: true)
        let (expected, none, _) = try run(shares: false)
        #expect(tokens == expected && tokens.count == 12 && none == 0)
        // The first two begin together; the others find what these computed.
        #expect(shared == 2 * 512)
        for agent in 0..<4 {
            let loaded = try folder.agent("agent \(agent)").load(
                identity: CacheIdentity(model: lab.model), layout: lab.layout, pool: lab.pool, workers: nil)
            #expect(loaded.cache.count >= 820)
        }
    }
}
