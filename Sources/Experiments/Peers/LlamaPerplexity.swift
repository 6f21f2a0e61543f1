import Foundation

/// llama.cpp's own measure of what a cache does to predictions, `llama-perplexity --kl-divergence`.
///
/// A text is cut into windows of as many tokens each, whose first is replaced by the one that begins a text; of each window the
/// positions of the second half are compared, but for the last, whose next token is in the next window.
/// - Source: llama.cpp `tools/perplexity/perplexity.cpp`.
struct LlamaPerplexity {
    let program: String
    /// A folder for its standard error.
    let folder: String
    let timeoutSeconds: Int

    /// What is computed, with flash attention, which a quantized cache needs.
    struct Job {
        let model: String
        let text: String
        let window: Int
        let windows: Int
        let threads: Int
        /// The file of the base's logits.
        let logits: String
    }

    /// What stands before the logits in their file.
    struct Base: Sendable, Equatable {
        let window: Int
        let vocabularySize: Int
        /// Tokens of whole windows.
        let tokens: [Int32]
    }

    struct Divergence: Sendable, Equatable {
        /// Mean of KL(base, this) over the positions in nats, as it is printed, and its standard error.
        let mean: Double
        let standardError: Double
        /// Share of positions at which both find the same token the most likely.
        let sameTop: Double
        /// Whether keys, and values, were rotated, as the program says.
        let rotated: [Bool]
    }

    /// In the peer's own words, where there is no result.
    struct Failure: Error, Equatable {
        let words: String
    }

    /// Computes the base with the cache `kv`, and writes its logits.
    func base(_ job: Job, kv: String) throws(Failure) -> Base {
        _ = try run(job, kv: kv, rotates: false, ["-f", job.text, "--chunks", "\(job.windows)"])
        let words = "it wrote no logits that can be read"
        guard let file = FileHandle(forReadingAtPath: job.logits), let head = try? file.read(upToCount: Self.headBytes) else {
            throw Failure(words: words)
        }
        defer { try? file.close() }
        let count = Self.tokenCount(head)
        guard let count, let rest = try? file.read(upToCount: count * 4), let base = Self.parse(head: head, tokens: rest) else {
            throw Failure(words: words)
        }
        return base
    }

    /// Compares the cache `kv` with the base.
    /// - Parameter rotates: does it rotate quantized keys and values, as it does when it is not told?
    func divergence(_ job: Job, kv: String, rotates: Bool) throws(Failure) -> Divergence {
        var failure = Failure(words: "it was not run")
        for _ in 0..<Self.attempts {
            let outcome = try run(job, kv: kv, rotates: rotates, ["--kl-divergence"])
            do throws(Failure) {
                return try Self.parse(output: String(decoding: outcome.output, as: UTF8.self), log: outcome.errors)
            } catch { failure = error }
        }
        throw failure
    }

    /// It may end well before the thread that prints has printed all, as `common/log.cpp` says.
    private static let attempts = 5

    /// "llama.cpp 0.5.0 (build 1, commit 0c1e570)"
    func version() -> String {
        let outcome = ChildProcess.run(program, ["--version"], folder: folder, timeoutSeconds: timeoutSeconds)
        let line = (String(decoding: outcome.output, as: UTF8.self) + outcome.errors).split(separator: "\n")
            .first { $0.hasPrefix("version: ") }
        return "llama.cpp" + (line.map { " " + $0.dropFirst("version: ".count) } ?? "")
    }

    private func run(_ job: Job, kv: String, rotates: Bool, _ more: [String]) throws(Failure) -> ChildProcess.Outcome {
        let arguments =
            ["-m", job.model, "-t", "\(job.threads)", "-c", "\(job.window)", "-b", "\(job.window)", "-fa", "on", "-ctk", kv]
            + ["-ctv", kv, "--kl-divergence-base", job.logits] + more
            // So that its log says what it rotates.
            + ["-lv", "4"]
        let outcome = ChildProcess.run(
            program, arguments, environment: ["LLAMA_ATTN_ROT_DISABLE": rotates ? "0" : "1"], folder: folder,
            timeoutSeconds: timeoutSeconds)
        if let failure = outcome.failure { throw Failure(words: failure) }
        return outcome
    }

    // MARK: What it wrote

    /// "_logits_", the window, the size of the vocabulary and the number of windows.
    private static let headBytes = 20

    private static func integer(_ data: Data, at offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(data[data.startIndex + offset + $1]) << ($1 * 8) }
    }

    private static func tokenCount(_ head: Data) -> Int? {
        guard head.count == headBytes, head.starts(with: Array("_logits_".utf8)) else { return nil }
        let (window, windows) = (integer(head, at: 8), integer(head, at: 16))
        return (1...1 << 24).contains(window) && (1...1 << 20).contains(windows) ? window * windows : nil
    }

    static func parse(head: Data, tokens: Data) -> Base? {
        guard let count = tokenCount(head), tokens.count == count * 4 else { return nil }
        return Base(
            window: integer(head, at: 8), vocabularySize: integer(head, at: 12),
            tokens: (0..<count).map { Int32(truncatingIfNeeded: integer(tokens, at: $0 * 4)) })
    }

    /// - Parameters:
    ///   - output: standard output.
    ///   - log: standard error.
    static func parse(output: String, log: String) throws(Failure) -> Divergence {
        func numbers(_ name: String) -> [Double] {
            let line = output.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.dropFirst(name.count).split { " ±%".contains($0) }.compactMap { Double($0) } ?? []
        }
        let (kld, top) = (numbers("Mean    KLD:"), numbers("Same top p:"))
        guard kld.count == 2, top.count == 2 else {
            let last = log.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? "nothing"
            throw Failure(words: "it printed no divergence; its last words: \(last)")
        }
        let rotated = ["attn_rot_k", "attn_rot_v"].map { log.contains("\($0) = 1") }
        return Divergence(mean: kld[0], standardError: kld[1], sameTop: top[0] / 100, rotated: rotated)
    }
}
