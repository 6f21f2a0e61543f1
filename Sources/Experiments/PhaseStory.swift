import Engine

/// A story of five phases with four agents and 25 turns: every agent hears what is said where it is present.
///
/// Numbers of rounds and agents are the paper's; who is present in which phase, it does not say: that is our own choice.
/// Scenes are tokens from a seed.
/// - Source: arXiv 2603.04428, table 7 and figure 5.
struct PhaseStory {
    /// What of an agent's cache is there at its next turn.
    enum Keeping {
        /// All that it heard and said in earlier turns.
        case everything
        /// What it heard and said in earlier turns of the same phase.
        case phase
        /// Nothing: each turn computes the whole prompt.
        case nothing
    }

    /// The tokens that open a phase.
    let sceneTokens: Int
    /// The tokens of a turn.
    let outputTokens: Int
    let seed: UInt64

    /// Who is present, and how often everybody speaks.
    static let phases: [(name: String, rounds: Int, agents: [String])] = [
        ("1 interrogation A", 3, ["warden", "first"]),
        ("2 interrogation B", 3, ["warden", "second"]),
        ("3 the yard", 2, ["first", "second"]),
        ("4 final reckoning", 2, ["warden", "first", "second"]),
        ("5 verdict", 1, ["warden", "second", "judge"]),
    ]

    /// Tokens that an agent hears or says in the whole story, at most.
    static func longest(sceneTokens: Int, outputTokens: Int) -> Int {
        phases.count * sceneTokens + phases.reduce(0) { $0 + $1.rounds * $1.agents.count } * outputTokens
    }

    /// The whole story, turn by turn.
    func play(on bench: AgentBench, keeping: Keeping) throws -> [(phase: String, turn: ScheduledTurn)] {
        var policy = SchedulerPolicy()
        policy.maximumBatch = 1
        var scheduler = bench.scheduler(stored: false, policy: policy)
        var heard: [String: [Int32]] = [:]
        var turns: [(phase: String, turn: ScheduledTurn)] = []
        for (number, phase) in Self.phases.enumerated() {
            // The same scene for everybody who is present.
            let scene = bench.tokens(sceneTokens, seed: seed + UInt64(number))
            for agent in phase.agents { heard[agent, default: []] += scene }
            if keeping == .phase { scheduler = bench.scheduler(stored: false, policy: policy) }
            for speaker in Array(repeating: phase.agents, count: phase.rounds).joined() {
                if keeping == .nothing { scheduler = bench.scheduler(stored: false, policy: policy) }
                try scheduler.submit(
                    ScheduledRequest(agent: speaker, prompt: heard[speaker]!, maximumTokens: outputTokens))
                let turn = try bench.serve(1, on: scheduler).turns[0]
                for agent in phase.agents { heard[agent]! += turn.tokens }
                turns.append((phase.name, turn))
            }
        }
        return turns
    }
}
