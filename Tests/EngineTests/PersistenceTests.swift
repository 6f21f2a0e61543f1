import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// An agent's cache, saved, evicted, loaded and continued, gives the tokens of a run that never saved.
@Suite struct PersistenceTests {
    static let schemes = ["affine-q4-g64", "fp16", "fp32", "k=affine-q8-g32,v=affine-q2-g64"]

    @Test(arguments: schemes, [Compute.reference, .fast])
    func restoredContinuesLikeNeverSaved(scheme: String, compute: Compute) throws {
        let lab = try TinyLab(scheme: scheme, compute: compute)
        let prompt = lab.tokens(300)
        let next = lab.tokens(17, seed: 9)
        let identity = CacheIdentity(model: lab.model)

        let whole = AgentSession(engine: lab.engine, cache: lab.cache())
        let first = try whole.respond(to: prompt, maximumTokens: 20)
        let folder = try CacheFolder(path: lab.folder + "/caches").agent("tester")
        try folder.save(whole.cache.snapshot(), identity: identity)
        let second = try whole.respond(to: prompt + first.tokens + next, maximumTokens: 200)

        let (cache, _) = try folder.load(
            identity: identity, layout: lab.layout, pool: lab.pool, workers: lab.execution.workers)
        let restored = AgentSession(engine: lab.engine, cache: cache)
        let continued = try restored.respond(to: prompt + first.tokens + next, maximumTokens: 200)
        #expect(continued.hitTokens == prompt.count + first.tokens.count - 1)
        #expect(continued.hitTokens == second.hitTokens)
        #expect(continued.tokens == second.tokens)
        #expect(continued.tokens.count == 200)
    }

    /// Saved, evicted and loaded every 77 tokens, over 1,000 tokens: windows end, blocks fill and go within them.
    @Test(arguments: TinyShape.allCases, ["affine-q4-g64", "fp16"])
    func aThousandTokensWithEvictions(shape: TinyShape, scheme: String) throws {
        let lab = try TinyLab(scheme: scheme, compute: .fast, shape: shape)
        let prompt = lab.tokens(40)
        let never = try AgentSession(engine: lab.engine, cache: lab.cache()).respond(to: prompt, maximumTokens: 1000).tokens
        let folder = try CacheFolder(path: lab.folder + "/caches").agent("tester")
        let identity = CacheIdentity(model: lab.model)
        var session = AgentSession(engine: lab.engine, cache: lab.cache())
        var spoken = try session.respond(to: prompt, maximumTokens: 77).tokens
        while spoken.count < 1000 {
            try folder.save(session.cache.snapshot(), identity: identity)
            let (cache, _) = try folder.load(
                identity: identity, layout: lab.layout, pool: lab.pool, workers: lab.execution.workers)
            session = AgentSession(engine: lab.engine, cache: cache)
            let turn = try session.respond(to: prompt + spoken, maximumTokens: min(77, 1000 - spoken.count))
            // The last token that was spoken is not in the cache; nothing else is computed again.
            #expect(turn.newTokens == 1)
            spoken += turn.tokens
        }
        #expect(spoken == never)
        #expect(Set(never).count > 10, "a text that repeats itself shows little")
    }

    /// Ten agents in a budget for three, 200 turns in random order: every token equals a run that has room for all.
    @Test(arguments: zip([LeastRecentlyUsed() as any EvictionOrder, CostAware(), NextUse()], [UInt64(1), 2, 3]))
    func tenAgentsInABudgetForThree(order: any EvictionOrder, seed: UInt64) throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let longest = 700
        let store = AgentStore(
            folder: try CacheFolder(path: lab.folder + "/caches"), identity: CacheIdentity(model: lab.model),
            layout: lab.layout, pool: BlockPool(budgetBytes: 3 * lab.layout.agentBytes(tokens: longest)),
            workers: lab.execution.workers, order: order)
        var free = (0..<10).map { AgentSession(engine: lab.engine, cache: lab.cache("agent \($0)")) }
        var texts = (0..<10).map { lab.tokens(30, seed: UInt64($0)) }
        var generator = SplitMix64(seed: seed)
        let turns = (0..<200).map { _ in Int.random(in: 0..<10, using: &generator) }
        var hits = 0
        for (number, turn) in turns.enumerated() {
            let name = "agent \(turn)"
            store.announce(turns[(number + 1)...].prefix(5).map { "agent \($0)" })
            if number + 1 < turns.count { store.prefetch("agent \(turns[number + 1])") }
            let isNew = texts[turn].count > longest - 40
            if isNew {
                texts[turn] = Array(texts[turn].prefix(100))
                free[turn] = AgentSession(engine: lab.engine, cache: lab.cache(name))
            }
            texts[turn] += lab.tokens(Int.random(in: 1...30, using: &generator), seed: UInt64(1000 + number))
            let expected = try free[turn].respond(to: texts[turn], maximumTokens: 6)
            let out = try store.checkOut(name)
            if case .refused(let reason) = out.found { Issue.record("\(reason)") }
            if isNew { try out.cache.truncate(to: 0) }
            let given = try AgentSession(engine: lab.engine, cache: out.cache).respond(to: texts[turn], maximumTokens: 6)
            try store.checkIn(out.cache, save: [.now, .later, .whenEvicted].randomElement(using: &generator)!)
            #expect(given.tokens == expected.tokens && given.hitTokens == expected.hitTokens, "turn \(number) of \(name)")
            hits += given.hitTokens
            texts[turn] += expected.tokens
        }
        try store.flush()
        let statistics = store.statistics
        #expect(statistics.evictions > 20 && statistics.savesFailed == 0 && statistics.refused == 0)
        #expect(statistics.hot + statistics.ready + statistics.warm + statistics.cold + statistics.absent == 200)
        #expect(store.pool.peakBytes <= store.pool.budgetBytes)
        #expect(hits > 20_000)
    }

    /// A damaged cache is told and computed again, with the right tokens.
    @Test func damageFallsBackToPrefill() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let prompt = lab.tokens(600)
        let session = AgentSession(engine: lab.engine, cache: lab.cache())
        let expected = try session.respond(to: prompt, maximumTokens: 10).tokens
        // The last token is computed by itself then, which may decide a near tie in another way.
        let expectedAgain = try session.respond(to: prompt, maximumTokens: 10)
        #expect(expectedAgain.hitTokens == 599)
        var generator = SplitMix64(seed: 4)
        for trial in 0..<12 {
            let path = lab.folder + "/caches-\(trial)"
            func store() throws -> AgentStore {
                AgentStore(
                    folder: try CacheFolder(path: path), identity: CacheIdentity(model: lab.model), layout: lab.layout,
                    pool: lab.pool, workers: lab.execution.workers)
            }
            func turn(_ store: AgentStore) throws -> (AgentStore.Found, AgentSession.Turn) {
                let out = try store.checkOut("anna")
                let turn = try AgentSession(engine: lab.engine, cache: out.cache).respond(to: prompt, maximumTokens: 10)
                try store.checkIn(out.cache, save: .now)
                return (out.found, turn)
            }
            #expect(try turn(store()).0 == .absent)
            let file = URL(
                fileURLWithPath: try CacheFolder(path: path).agent("anna").files.randomElement(using: &generator)!)
            var bytes = try Data(contentsOf: file)
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 4
            try bytes.write(to: file)
            let damaged = try store()
            if trial % 2 == 0 {
                damaged.prefetch("anna")
                damaged.waitForPrefetches()
            }
            let (found, again) = try turn(damaged)
            guard case .refused(let reason) = found else { Issue.record("\(found)"); continue }
            #expect(reason.hasSuffix("; it is not used.") && again.hitTokens == 0 && again.tokens == expected)
            let (last, third) = try turn(damaged)
            #expect(last == .hot && third.hitTokens == 599 && third.tokens == expectedAgain.tokens)
        }
    }

    @Test func anotherModelIsRefused() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let identity = CacheIdentity(model: lab.model, tokenizer: "t")
        #expect(identity.weights == lab.model.fingerprint && identity.model == "tiny" && identity.rope.count == 64)
        let other = try TinyLab(scheme: "affine-q4-g64", compute: .fast, shape: .gemma)
        #expect(CacheIdentity(model: other.model).rope != identity.rope)
        #expect(CacheIdentity(model: other.model).weights != identity.weights)
    }
}

/// Seeded random numbers.
private struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
