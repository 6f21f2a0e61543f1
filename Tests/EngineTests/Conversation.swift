import Caches
import Engine

/// Turns of several agents: each prompt is all that was said before and some new tokens.
struct Conversation {
    struct Turn: Sendable {
        let agent: String
        let new: [Int32]
        let maximumTokens: Int
    }

    /// What came of a turn.
    struct Answer: Equatable {
        var tokens: [Int32]
        var logitChecksums: [UInt32]
    }

    let turns: [Turn]

    init(_ lab: TinyLab, agents: Int, turns count: Int, longest: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        turns = (0..<count).map { index in
            Turn(
                agent: "agent \(Int.random(in: 0..<agents, using: &random))",
                new: lab.tokens(Int.random(in: 1...longest, using: &random), seed: seed &+ UInt64(index)),
                maximumTokens: Int.random(in: 1...8, using: &random))
        }
    }

    /// Runs the turns, at most `open` at once and those of an agent in order.
    /// - Parameter before: is called before every step.
    func run(
        on scheduler: ConcurrentScheduler, open limit: Int, before: (Int) throws -> Void = { _ in }
    ) throws -> (answers: [Answer], turns: [ScheduledTurn]) {
        var answers = [Answer](repeating: Answer(tokens: [], logitChecksums: []), count: turns.count)
        var results: [ScheduledTurn] = []
        var history: [String: [Int32]] = [:]
        var open: [RequestID: (index: Int, prompt: [Int32])] = [:]
        var next = 0
        var steps = 0
        while next < turns.count || !open.isEmpty {
            while next < turns.count, open.count < limit,
                !open.values.contains(where: { turns[$0.index].agent == turns[next].agent })
            {
                let prompt = history[turns[next].agent, default: []] + turns[next].new
                let request = ScheduledRequest(
                    agent: turns[next].agent, prompt: prompt, maximumTokens: turns[next].maximumTokens)
                open[try scheduler.submit(request)] = (next, prompt)
                next += 1
            }
            try before(steps)
            try scheduler.step()
            scheduler.checkInvariants()
            steps += 1
            for turn in scheduler.takeFinished() {
                // Others may use the scheduler too.
                guard let (index, prompt) = open.removeValue(forKey: turn.id) else { continue }
                answers[index] = Answer(tokens: turn.tokens, logitChecksums: turn.logitChecksums)
                history[turn.agent] = prompt + turn.tokens
                results.append(turn)
            }
        }
        return (answers, results)
    }

    /// The tokens of agents that each have all memory for themselves, one after another.
    func alone(_ lab: TinyLab) throws -> [[Int32]] {
        var sessions: [String: AgentSession] = [:]
        var history: [String: [Int32]] = [:]
        return try turns.map { turn in
            let session = sessions[turn.agent] ?? AgentSession(engine: lab.engine, cache: lab.cache(turn.agent))
            sessions[turn.agent] = session
            let prompt = history[turn.agent, default: []] + turn.new
            let tokens = try session.respond(to: prompt, maximumTokens: turn.maximumTokens).tokens
            history[turn.agent] = prompt + tokens
            return tokens
        }
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
