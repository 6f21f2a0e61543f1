import Foundation

/// What a contender of the restore comparison is to do: the file that its program reads. `scripts/peers/contender.py` reads it
/// too, and says what the phases are.
struct RestoreJob: Codable {
    enum Phase: String, Codable, CaseIterable {
        /// Load, cold, save, hot, warm.
        case first
        /// A new process: load, restart.
        case restarted
    }

    /// A GGUF file or a folder.
    let model: String
    let kv: String
    let threads: Int
    /// Where the cache is saved.
    let folder: String
    /// Where programs are installed.
    let peers: String
    let context: [Int32]
    /// What the prompts after a save have besides.
    let `extension`: [Int32]
    let outputTokens: Int
    let timeoutSeconds: Int
    let phase: Phase

    var prompt: [Int32] { context + `extension` }

    enum CodingKeys: String, CodingKey {
        case model, kv, threads, folder, peers, context, `extension`, phase
        case outputTokens = "output_tokens"
        case timeoutSeconds = "timeout_seconds"
    }
}

/// A line that a contender prints: what a state took and gave, or why it failed.
struct RestoreLine: Codable, Equatable {
    /// What is measured, in order, and `end`, which says what ran and how much memory its process ever had.
    enum State: String, Codable {
        case load, cold, save, hot, warm, restart, end
    }

    let state: State
    var seconds: Double?
    var tokens: [Int32]?
    var hitTokens: Int?
    var diskBytes: Int?
    var memoryBytes: Int?
    var version: String?
    /// What they are in the program's memory.
    var weights: String?
    var peakRSSBytes: Int?
    var failure: String?

    enum CodingKeys: String, CodingKey {
        case state, seconds, tokens, version, weights, failure
        case hitTokens = "hit_tokens"
        case diskBytes = "disk_bytes"
        case memoryBytes = "memory_bytes"
        case peakRSSBytes = "peak_rss_bytes"
    }
}

extension RestoreJob.Phase {
    /// What its process measures, in order.
    var states: [RestoreLine.State] {
        switch self {
        case .first: [.load, .cold, .save, .hot, .warm]
        case .restarted: [.load, .restart]
        }
    }
}

/// What the process of one phase gave.
struct RestoreOutcome: Equatable {
    /// Lines of states that were reached, without failures.
    var lines: [RestoreLine] = []
    /// Why the other states have no line, in the contender's words; nil when all were reached.
    var failure: String?
    var version = ""
    var weights = ""
    var peakRSSBytes: Int?

    subscript(state: RestoreLine.State) -> RestoreLine? { lines.first { $0.state == state } }

    /// Reads what a process printed. States are taken in their order up to the first that fails or is no line of this kind.
    init(output: Data, processFailure: String?, phase: RestoreJob.Phase) {
        var expected = phase.states + [.end]
        for text in output.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? JSONDecoder().decode(RestoreLine.self, from: Data(text)), let next = expected.first,
                line.state == next, line.failure != nil || line.isComplete
            else {
                let words = String(decoding: text.prefix(200), as: UTF8.self)
                failure = processFailure ?? "it printed something else than a result: \(words)"
                return
            }
            if let words = line.failure {
                failure = words
                return
            }
            expected.removeFirst()
            guard line.state == .end else {
                lines.append(line)
                continue
            }
            version = line.version ?? ""
            weights = line.weights ?? ""
            peakRSSBytes = line.peakRSSBytes
        }
        // What was measured before a process failed stays.
        if let processFailure {
            failure = processFailure
        } else if let state = expected.first {
            failure = "it ended before its result of '\(state.rawValue)'"
        }
    }

    /// A phase that was not begun.
    init(failure: String) { self.failure = failure }
}

extension RestoreLine {
    /// Does it hold what its state gives?
    fileprivate var isComplete: Bool {
        switch state {
        case .end: version != nil && weights != nil && peakRSSBytes != nil
        case .load: seconds.map { $0 >= 0 } == true
        case .save: seconds.map { $0 >= 0 } == true && diskBytes != nil
        case .cold, .hot, .warm, .restart: seconds.map { $0 > 0 } == true && tokens?.isEmpty == false && hitTokens != nil
        }
    }
}
