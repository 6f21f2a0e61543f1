import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Prefill and decode speed over a fixed grid, beside the work that it takes and the ceilings of the machine, measured
/// again in every pass.
///
/// Weights are synthetic. Passes are interleaved; within a pass of a model the tests come in a seeded random order.
public final class SpeedExperiment: Experiment {
    public static let name = "speed"
    public static let summary = "prefill and decode speed against the ceilings of the machine"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let generate: Int
    private let seed: UInt64
    private var benches: [String: SpeedBench] = [:]
    private var warm: Set<String> = []
    private lazy var ceilings = Result {
        try Ceilings(execution: laboratory.execution, readBytes: min(1 << 30, Int(ProcessInfo.processInfo.physicalMemory) / 8))
    }

    private enum Plan {
        case ceilings(pass: Int)
        case test(SpeedBench.Test, shape: String, layers: Int, scheme: String, pass: Int)
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let models = try settings.strings("models").map { try Self.model($0, settings, laboratory) }
        let schemes = try settings.strings("schemes")
        let prompts = try settings.ints("prompts", in: 2...10_000_000)
        let depths = try settings.ints("depths", in: 0...10_000_000)
        let batches = try settings.ints("batches", in: 1...Decoder.StepLimits().sequences)
        let batchDepth = try settings.int("batch_depth", in: 0...10_000_000)
        let generate = try settings.int("generate", in: 1...100_000)
        self.generate = generate
        let passes = try settings.int("passes", in: 1...1000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        try settings.finish()

        let tests: [SpeedBench.Test] =
            prompts.map { .prompt(tokens: $0, depth: 0) } + depths.map { .generate(tokens: generate, depth: $0, batch: 1) }
            + batches.map { .generate(tokens: generate, depth: batchDepth, batch: $0) }
        for (shape, _) in models {
            let limit = try laboratory.configuration(shape: shape).contextLimit
            let longest = max(prompts.max() ?? 0, (depths + [batchDepth]).max()! + generate + 1)
            guard longest <= limit else {
                throw settings.bad("prompts", "and 'depths' reach \(longest) tokens, more than the \(limit) that \(shape) takes")
            }
        }
        var generator = SplitMix64(seed: seed)
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for (shape, layers) in models {
            for pass in 1...passes {
                let ceilings = "speed/ceilings/\(shape)/pass \(pass)"
                plans[ceilings] = .ceilings(pass: pass)
                cells.append(Cell(name: ceilings, cost: 1))
                let grid = schemes.flatMap { scheme in tests.map { (scheme, $0) } }
                for (scheme, test) in grid.shuffled(using: &generator) {
                    _ = try CacheScheme(expression: scheme)
                    let name = "speed/\(shape)/\(layers)/\(scheme)/\(test)/pass \(pass)"
                    guard plans[name] == nil else { continue }
                    plans[name] = .test(test, shape: shape, layers: layers, scheme: scheme, pass: pass)
                    cells.append(Cell(name: name, cost: Self.cost(test)))
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    /// "llama3.1-8b/4": a shape, and how many of its layers.
    static func model(
        _ text: String, _ settings: Settings, _ laboratory: Laboratory
    ) throws -> (shape: String, layers: Int) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let layers = Int(parts[1]), layers >= 1 else {
            throw settings.bad("models", "holds '\(text)', which is not a shape, a stroke and a number of layers")
        }
        _ = try laboratory.configuration(shape: parts[0], layers: layers)
        return (parts[0], layers)
    }

    private static func cost(_ test: SpeedBench.Test) -> Double {
        switch test {
        case .prompt(let tokens, let depth): Double(tokens) * (1 + Double(depth + tokens) / 16384)
        case .generate(let tokens, let depth, let batch): Double(tokens) * 20 * (1 + Double(depth * batch) / 32768)
        }
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        switch plans[cell.name]! {
        case .ceilings(let pass): return try measureCeilings(cell.name, pass)
        case .test(let test, let shape, let layers, let scheme, let pass):
            return [(Self.schema, try measure(cell.name, test, shape, layers, scheme, pass))]
        }
    }

    private func measureCeilings(_ cell: String, _ pass: Int) throws -> [(schema: TableSchema, row: Row)] {
        let ceilings = try ceilings.get()
        return Ceilings.Kind.allCases.compactMap { kind in
            ceilings.measure(kind).map { rate in
                (
                    Self.ceilingsSchema,
                    [
                        "cell": .string(cell), "kind": .string(kind.rawValue), "pass": .int(Int64(pass)),
                        "rate": .double(rate), "rate_units": .string(kind.units),
                    ]
                )
            }
        }
    }

    private func measure(
        _ cell: String, _ test: SpeedBench.Test, _ shape: String, _ layers: Int, _ scheme: String, _ pass: Int
    ) throws -> Row {
        let engine = try laboratory.engine(shape: shape, seed: seed, layers: layers)
        let key = "\(shape)/\(layers)/\(scheme)"
        if benches[key] == nil {
            // A bench holds its model: those of other models go first.
            benches = benches.filter { $0.key.hasPrefix("\(shape)/\(layers)/") }
            benches[key] = try SpeedBench(engine: engine, scheme: CacheScheme(expression: scheme), seed: seed)
        }
        let bench = benches[key]!
        if warm.insert("\(key)/\(test)").inserted, case .generate = test { _ = try bench.run(test) }
        let rate = try bench.run(test)
        let (tokens, depth, batch) =
            switch test {
            case .prompt(let tokens, let depth): (tokens, depth, 1)
            case .generate(let tokens, let depth, let batch): (tokens, depth, batch)
            }
        let isPrompt = if case .prompt = test { true } else { false }
        let work = (engine.model as! Decoder).work(tokens: isPrompt ? tokens : 1, depth: isPrompt ? depth : depth + tokens / 2)
        // Steps per second: a prompt is one, however it is cut.
        let steps = isPrompt ? rate / Double(tokens) : rate / Double(batch)
        let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: CacheScheme(expression: scheme))
        let cacheBytes = Double(layout.agentBytes(tokens: max(1, isPrompt ? depth + tokens : depth)) * batch)
        return [
            "cell": .string(cell), "shape": .string(shape), "layers": .int(Int64(layers)),
            "weights": .string(engine.model.weightsLabel), "scheme": .string(layout.scheme.description),
            "test": .string(isPrompt ? "prefill" : "decode"), "tokens": .int(Int64(tokens)), "depth": .int(Int64(depth)),
            "batch": .int(Int64(batch)), "pass": .int(Int64(pass)), "tokens_per_second": .double(rate),
            "operations_per_second": .double(work.operations * steps * Double(isPrompt ? 1 : batch)),
            "weight_operations_per_second": .double(work.weightOperations * steps * Double(isPrompt ? 1 : batch)),
            "bytes_per_second": .double((work.weightBytes + cacheBytes) * steps),
            "weight_bytes": .int(Int64(engine.model.weightBytes)), "workspace_bytes": .int(Int64(engine.model.workspaceBytes)),
        ]
    }
}

extension SpeedExperiment {
    /// One row for each sample.
    public static let schema = TableSchema(
        name: "speed", title: "Prefill and decode speed",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("shape", .string, "Model shape"),
            .init("layers", .int, units: "1", "Layers of the shape that were used"),
            .init("weights", .string, "What the weights are"),
            .init("scheme", .string, "Cache scheme, read back from the layout"),
            .init("test", .string, "prefill of `tokens` tokens, or decode of `tokens` steps"),
            .init("tokens", .int, units: "1", "Tokens of the prompt, or steps"),
            .init("depth", .int, units: "1", "Tokens in each cache before"),
            .init("batch", .int, units: "1", "Sequences that decode together"),
            .init("pass", .int, units: "1", "Pass"),
            .init("tokens_per_second", .double, units: "1/s", "Speed of all sequences together"),
            .init("operations_per_second", .double, units: "1/s", "Multiplications and additions, weights and attention"),
            .init("weight_operations_per_second", .double, units: "1/s", "Those with weights"),
            .init("bytes_per_second", .double, units: "byte/s", "Weights and caches of a step, each byte once"),
            .init("weight_bytes", .int, units: "byte", "Weights in memory"),
            .init("workspace_bytes", .int, units: "byte", "Scratch memory of the model"),
        ])

    /// One row for each ceiling and pass.
    public static let ceilingsSchema = TableSchema(
        name: "ceilings", title: "Ceilings of the machine",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("kind", .string, "What is at its limit"),
            .init("pass", .int, units: "1", "Pass"),
            .init("rate", .double, units: "1/s", "Operations, bytes or regions per second, all threads"),
            .init("rate_units", .string, "op/s, byte/s or region/s"),
        ])
}
