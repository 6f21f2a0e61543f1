import Caches
import Foundation
import Models
import Results
import Schemes

/// Saving an agent's cache and bringing it back, here and in the programs that people would use instead, on the same weights.
///
/// A cell is one pass of one context: every contender, in a seeded random order, runs two processes of its own, one that
/// computes, saves, asks again and restores, and one that begins with restoring. What a contender cannot do is rows too, with
/// its own words.
public final class PeerRestoreExperiment: Experiment {
    public static let name = "peer-restore"
    public static let summary = "time to first token from saved caches beside llama.cpp, mlx-lm and transformers, in turns"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let models: PeerModels
    private let runner: RestoreRunner
    private let peers: String
    private let extensionTokens: Int
    private let outputTokens: Int
    private let timeoutSeconds: Int
    private let seed: UInt64

    struct Plan {
        let test: RestoreTest
        let pass: Int
        let order: Int
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        extensionTokens = try settings.int("extension_tokens", in: 1...100_000)
        outputTokens = try settings.int("output_tokens", in: 1...100_000)
        timeoutSeconds = try settings.int("timeout_seconds", in: 1...1_000_000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        let newTokens = extensionTokens + outputTokens
        let tests = try settings.groups("tests").flatMap {
            try RestoreTest.tests($0, newTokens: newTokens, laboratory: laboratory)
        }
        guard Set(tests.map(\.id)).count == tests.count else { throw settings.bad("tests", "has a context twice") }
        let passes = try settings.int("passes", in: 1...1000)
        let given = try settings.string("peers")
        peers = given.hasPrefix("/") ? given : "\(laboratory.files.root)/\(given)"
        let own = settings.has("kvlab") ? laboratory.path(try settings.string("kvlab")) : Bundle.main.executablePath ?? "kvlab"
        runner = RestoreRunner(
            kvlab: own, python: "\(peers)/python/bin/python3", scripts: "\(laboratory.files.root)/scripts/peers")
        try settings.finish()
        models = PeerModels(folder: peers + "/models", laboratory: laboratory, seed: seed)

        var largest = 0
        for test in tests {
            let spec = try laboratory.configuration(shape: test.shape, layers: test.layers).cacheSpec(mlaForm: .expanded)
            for contender in test.contenders where contender.program == .kvlab {
                _ = try CacheLayout(spec: spec, scheme: CacheScheme(expression: contender.kv))
            }
            // A peer may save 32-bit floats.
            let whole = try CacheLayout(spec: spec, scheme: CacheScheme(expression: "fp32"))
            largest = max(largest, whole.agentBytes(tokens: test.context + newTokens))
        }
        try laboratory.requireDiskSpace(largest + (64 << 20))

        var generator = SplitMix64(seed: seed)
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        // Pass by pass, so that a run that was stopped has as many of each.
        let turns = (1...passes).flatMap { pass in tests.shuffled(using: &generator).map { ($0, pass) } }
        for (test, pass) in turns {
            let name = "peer-restore/\(test.id)/pass \(pass)"
            plans[name] = Plan(test: test, pass: pass, order: plans.count)
            // Starting the programs takes as long as some thousands of tokens.
            let work = Double(test.context + 8192) * Double(1 + test.context / 8192)
            cells.append(Cell(name: name, cost: work * Double(test.layers * test.contenders.count)))
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let prompt = try prompt(plan)
        var generator = SplitMix64(seed: seed &+ UInt64(plan.order))
        var rows: [(schema: TableSchema, row: Row)] = []
        for contender in plan.test.contenders.shuffled(using: &generator) {
            let startedAt = Int64(Date().timeIntervalSince1970 * 1e9)
            let (first, restarted) = try run(contender, plan.test, prompt)
            for var row in self.rows(contender, first, restarted) {
                row["cell"] = .string(cell.name)
                row["pass"] = .int(Int64(plan.pass))
                row["order"] = .int(Int64(plan.order * 100 + rows.count))
                row["shape"] = .string(plan.test.shape)
                row["layers"] = .int(Int64(plan.test.layers))
                row["context_tokens"] = .int(Int64(plan.test.context))
                row["extension_tokens"] = .int(Int64(extensionTokens))
                row["output_tokens"] = .int(Int64(outputTokens))
                row["threads"] = .int(Int64(laboratory.execution.workers.threadCount))
                row["isa"] = .string(laboratory.execution.isaName)
                row["started_at_ns"] = .int(startedAt)
                rows.append((Self.schema, row))
            }
        }
        return rows
    }

    /// Both processes of a contender, one after the other.
    private func run(
        _ contender: RestoreContender, _ test: RestoreTest, _ prompt: [Int32]
    ) throws -> (first: RestoreOutcome, restarted: RestoreOutcome) {
        let model =
            switch contender.program.model {
            case .gguf: try models.file(shape: test.shape, layers: test.layers)
            case .folder: try models.folder(shape: test.shape, layers: test.layers)
            }
        let folder = "\(laboratory.cacheFolder)/\(UUID().uuidString)"
        let saved = folder + "/saved"
        do {
            try FileManager.default.createDirectory(atPath: saved, withIntermediateDirectories: true)
        } catch {
            throw ExperimentsError.cannotWrite(folder: saved, reason: error.localizedDescription)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func job(_ phase: RestoreJob.Phase) -> RestoreJob {
            RestoreJob(
                model: model, kv: contender.kv, threads: laboratory.execution.workers.threadCount, folder: saved, peers: peers,
                context: Array(prompt[..<test.context]), extension: Array(prompt[test.context...]), outputTokens: outputTokens,
                timeoutSeconds: timeoutSeconds, phase: phase)
        }
        let first = runner.run(contender, job(.first), folder: folder)
        guard first[.save] != nil else {
            return (first, RestoreOutcome(failure: "it saved nothing that could be restored: \(first.failure ?? "")"))
        }
        return (first, runner.run(contender, job(.restarted), folder: folder))
    }

    /// Token ids of a seed, the context and the pass, the same for all contenders. The first and the last ones of a vocabulary
    /// are left out: the letters of a placeholder tokenizer, which may be parts of a character, and its end of text.
    private func prompt(_ plan: Plan) throws -> [Int32] {
        var generator = SplitMix64(seed: seed &+ UInt64(plan.test.context) &* 1_000_003 &+ UInt64(plan.pass))
        let size = Int32(try laboratory.configurationFile(shape: plan.test.shape).int("vocab_size"))
        let ids = (size > 512 ? 256 : 0)..<(size - 1)
        return (0..<plan.test.context + extensionTokens).map { _ in Int32.random(in: ids, using: &generator) }
    }
}
