import Foundation

/// llama.cpp's own speed test, `llama-bench`.
///
/// - Source: llama.cpp `tools/llama-bench/README.md`.
struct LlamaBench {
    let program: String
    /// A folder for its standard error.
    let folder: String
    let timeoutSeconds: Int

    struct Sample: Sendable, Equatable {
        let tokensPerSecond: Double
        /// "llama.cpp 0c1e570"
        let version: String
    }

    enum Result: Sendable, Equatable {
        case sample(Sample)
        /// In the peer's own words.
        case failure(String)
    }

    /// Runs one test once, with flash attention.
    /// - Parameters:
    ///   - kv: type of keys and values, as `-ctk` takes it.
    ///   - warmUp: does it run the test once before, as it does when it is not told?
    func run(_ test: PeerTest, model: String, kv: String, threads: Int, warmUp: Bool) -> Result {
        let work =
            test.kind == .prefill ? ["-p", "\(test.tokens)", "-n", "0"] : ["-p", "0", "-n", "\(test.tokens)"]
        let arguments =
            ["-m", model, "-t", "\(threads)", "-fa", "1", "-ctk", kv, "-ctv", kv, "-d", "\(test.depth)", "-r", "1", "-o", "json"]
            + work + (warmUp ? [] : ["--no-warmup"])
        let outcome = ChildProcess.run(program, arguments, folder: folder, timeoutSeconds: timeoutSeconds)
        if let failure = outcome.failure { return .failure(failure) }
        return Self.parse(outcome.output)
    }

    private struct Line: Decodable {
        let build_commit: String
        let samples_ts: [Double]
    }

    /// What it printed as a sample.
    static func parse(_ output: Data) -> Result {
        guard let lines = try? JSONDecoder().decode([Line].self, from: output), lines.count == 1,
            lines[0].samples_ts.count == 1, lines[0].samples_ts[0] > 0
        else { return .failure("it printed something else than one sample: \(String(decoding: output.prefix(200), as: UTF8.self))") }
        return .sample(Sample(tokensPerSecond: lines[0].samples_ts[0], version: "llama.cpp \(lines[0].build_commit)"))
    }
}
