import Engine
import Foundation
import Models
import Results
import Schemes

/// Prefill and decode speed of kvlab and llama.cpp on the same file, in turns.
///
/// A cell is one pass of one test: every contender runs it once, in a seeded random order. A contender that fails is a
/// row too, with its own words.
public final class PeerSpeedExperiment: Experiment {
    public static let name = "peer-speed"
    public static let summary = "prefill and decode speed beside llama.cpp, on the same weights, in turns"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let models: PeerModels
    private let llama: LlamaBench
    private let seed: UInt64

    private struct Plan {
        let test: PeerTest
        let pass: Int
        let order: Int
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let tests = try settings.groups("tests").map { try PeerTest($0, laboratory: laboratory) }
        guard Set(tests.map(\.id)).count == tests.count else { throw settings.bad("tests", "has a test twice") }
        for contender in tests.flatMap(\.contenders) where contender.program == .kvlab {
            _ = try CacheScheme(expression: contender.kv)
        }
        let passes = try settings.int("passes", in: 1...1000)
        let given = try settings.string("peers")
        let folder = given.hasPrefix("/") ? given : "\(laboratory.files.root)/\(given)"
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        llama = LlamaBench(
            program: folder + "/bin/llama-bench", folder: laboratory.cacheFolder,
            timeoutSeconds: try settings.int("timeout_seconds", in: 1...1_000_000))
        try settings.finish()
        models = PeerModels(folder: folder + "/models", laboratory: laboratory, seed: seed)

        // Models one after another, for they are large; their tests and passes in random order.
        var generator = SplitMix64(seed: seed)
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for model in Self.models(of: tests) {
            let mine = model.flatMap { test in (1...passes).map { (test, $0) } }
            for (test, pass) in mine.shuffled(using: &generator) {
                let name = "peer-speed/\(test.id)/pass \(pass)"
                plans[name] = Plan(test: test, pass: pass, order: plans.count)
                let weight = Double(test.tokens) * (test.kind == .decode ? 16 : 1) * Double(1 + test.depth / 4096)
                cells.append(Cell(name: name, cost: weight * Double(test.layers * test.contenders(inPass: pass).count)))
            }
        }
        self.plans = plans
        self.cells = cells
    }

    /// Tests of one model together, in the order in which the models first come.
    private static func models(of tests: [PeerTest]) -> [[PeerTest]] {
        var groups: [[PeerTest]] = []
        for test in tests {
            if let index = groups.firstIndex(where: {
                $0[0].shape == test.shape && $0[0].layers == test.layers && $0[0].mlaForm == test.mlaForm
            }) {
                groups[index].append(test)
            } else {
                groups.append([test])
            }
        }
        return groups
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let test = plan.test
        let file = try models.file(shape: test.shape, layers: test.layers)
        let engine = try models.engine(shape: test.shape, layers: test.layers, mlaForm: test.mlaForm)
        let warmUp = test.tokens < PeerTest.longTokens
        var generator = SplitMix64(seed: seed &+ UInt64(plan.order))
        var rows: [(schema: TableSchema, row: Row)] = []
        for (index, contender) in test.contenders(inPass: plan.pass).shuffled(using: &generator).enumerated() {
            let startedAt = Int64(Date().timeIntervalSince1970 * 1e9)
            var sample = LlamaBench.Result.failure("")
            switch contender.program {
            case .llamaCpp:
                sample = llama.run(
                    test, model: file, kv: contender.kv, threads: engine.execution.workers.threadCount, warmUp: warmUp)
            case .kvlab:
                let bench = try SpeedBench(engine: engine, scheme: CacheScheme(expression: contender.kv))
                if warmUp { _ = try bench.run(test.bench) }
                sample = .sample(.init(tokensPerSecond: try bench.run(test.bench), version: "kvlab \(Version.current)"))
            }
            var row = row(test, contender, sample, engine)
            row["cell"] = .string(cell.name)
            row["pass"] = .int(Int64(plan.pass))
            row["order"] = .int(Int64(plan.order * 100 + index))
            row["started_at_ns"] = .int(startedAt)
            rows.append((Self.schema, row))
        }
        if plan.pass == 1 { rows += test.targets.map { (Self.targetSchema, row(test, $0)) } }
        return rows
    }
}
