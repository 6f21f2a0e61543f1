import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Time to first token when an agent is handed another one's context: as a card, through memory, a file, a Unix socket or
/// TCP between two processes; against computing the context again.
///
/// The receiver has tokens of its own before the card's where `own_tokens` says so: keys are turned then. A cell is one
/// pass of one model and context; its ways and schemes are run in a seeded random order. The context is computed again in
/// the first scheme only: the others differ in how keys and values are stored.
/// - Source: arXiv 2605.03884, time to first token at 1K and 8K.
public final class HandoffExperiment: Experiment {
    public static let name = "handoff"
    public static let summary = "time to first token when a context is handed over as a card, by stage, or computed again"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let schemes: [String]
    private let media: [HandoffMedium]
    private let ownTokens: [Int]
    private let newTokens: Int
    private let outputTokens: Int
    private let seed: UInt64

    private struct Plan {
        let shape: String
        let layers: Int
        let context: Int
        let pass: Int
        let order: Int
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let models = try settings.strings("models").map { try SpeedExperiment.model($0, settings, laboratory) }
        schemes = try settings.strings("schemes")
        media = try settings.strings("media", oneOf: HandoffMedium.allCases.map(\.rawValue)).map { HandoffMedium(rawValue: $0)! }
        let contexts = try settings.ints("contexts", in: 2...10_000_000)
        let passes = try settings.int("passes", in: 1...1000)
        ownTokens = try settings.ints("own_tokens", in: 0...1_000_000)
        newTokens = try settings.int("new_tokens", in: 1...100_000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))

        var largestCard = 0
        for (shape, layers) in models {
            let configuration = try laboratory.configuration(shape: shape, layers: layers)
            for context in contexts {
                let needed = ownTokens.max()! + context + newTokens + outputTokens
                guard needed <= configuration.contextLimit else {
                    throw settings.bad(
                        "contexts",
                        "holds \(context), which with \(needed - context) other tokens is more than the "
                            + "\(configuration.contextLimit) that \(shape) takes")
                }
                for scheme in schemes {
                    let layout = try CacheLayout(
                        spec: configuration.cacheSpec(mlaForm: .expanded), scheme: CacheScheme(expression: scheme))
                    largestCard = max(largestCard, layout.payloadBytes(tokens: context))
                }
            }
        }
        try laboratory.requireDiskSpace(largestCard + largestCard / 10 + (16 << 20))
        try settings.finish()

        var generator = SplitMix64(seed: seed)
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for (shape, layers) in models {
            let own = contexts.flatMap { context in (1...passes).map { (context, $0) } }.shuffled(using: &generator)
            for (context, pass) in own {
                let name = "handoff/\(shape)/\(layers)/\(context)/pass \(pass)"
                plans[name] = Plan(shape: shape, layers: layers, context: context, pass: pass, order: cells.count)
                cells.append(Cell(name: name, cost: Double(context)))
            }
        }
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let layers = try laboratory.cut(shape: plan.shape, layers: plan.layers)
        let engine = try laboratory.engine(shape: plan.shape, seed: seed, layers: layers)
        let bench = try HandoffBench(
            engine: engine, schemes: schemes, folder: laboratory.cacheFolder, context: plan.context, newTokens: newTokens,
            outputTokens: outputTokens, seed: seed &+ UInt64(plan.order))
        try bench.warmUp()
        var ways: [() throws -> HandoffBench.Sample] = []
        for own in ownTokens {
            ways.append { try bench.prefill(own: own) }
            for scheme in schemes.indices {
                for medium in media { ways.append { try bench.handoff(of: scheme, through: medium, own: own) } }
            }
        }
        var generator = SplitMix64(seed: seed &+ UInt64(plan.order) &* 7919)
        let rows = try bench.rows(ways.shuffled(using: &generator).map { try $0() })
        let stands = try laboratory.paperModel(shape: plan.shape)
        return rows.enumerated().map { index, row in
            var row = row
            row["cell"] = .string(cell.name)
            row["pass"] = .int(Int64(plan.pass))
            row["order"] = .int(Int64(plan.order * 1000 + index))
            row["shape"] = .string(Laboratory.name(shape: plan.shape, layers: layers))
            row["paper_model"] = .string(stands)
            row["weights"] = .string(engine.model.weightsLabel)
            row["threads"] = .int(Int64(engine.execution.workers.threadCount))
            row["isa"] = .string(engine.execution.isaName)
            row["compute"] = .string(engine.execution.compute.rawValue)
            return (Self.schema, row)
        }
    }

    /// One row for each handoff or prefill.
    public static let schema = TableSchema(
        name: "handoff", title: "Contexts handed over or computed again, one row each",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("shape", .string, "Model shape that ran, and how many of its layers where not all"),
            .init("paper_model", .string, "Published model that the shape stands for"),
            .init("weights", .string, "Weights that ran"),
            .init("scheme", .string, "Scheme of the caches and the card, read back from it"),
            .init("way", .string, "memory, file, unix or tcp: how the card went; prefill: computed again"),
            .init("own_tokens", .int, units: "1", "Tokens that the receiver had before"),
            .init("context_tokens", .int, units: "1", "Tokens handed over, or computed again"),
            .init("new_tokens", .int, units: "1", "Tokens of the receiver's prompt behind them"),
            .init("card_bytes", .int, units: "byte", "Size of the card"),
            .init("make_seconds", .double, units: "s", "Making the card: rows gathered, digests, seal"),
            .init("write_seconds", .double, units: "s", "Writing the file, flushed to disk"),
            .init("transfer_seconds", .double, units: "s", "From the other process's offer to its last byte"),
            .init("read_seconds", .double, units: "s", "Opening the card; of a file, its pages too"),
            .init("verify_seconds", .double, units: "s", "Seal and digests"),
            .init("inject_seconds", .double, units: "s", "Rows into the receiver's cache, keys turned where they move"),
            .init("handover_seconds", .double, units: "s", "All of the above"),
            .init("forward_seconds", .double, units: "s", "Forward passes until the first token"),
            .init("ttft_seconds", .double, units: "s", "Time to first token: the handover and the forward passes"),
            .init("generate_seconds", .double, units: "s", "The tokens after the first"),
            .init("path_seconds", .double, units: "s", "Time to first token and the tokens after it"),
            .init("prefill_seconds", .double, units: "s", "Time to first token when the context is computed again, in the same cell"),
            .init("output_tokens", .int, units: "1", "Tokens generated"),
            .init("same_tokens", .int, units: "1", "1: the tokens equal those that the sender's own cache gives; 0: they differ; -1: nothing to compare with"),
            .init("page_cache", .string, "State of the file's pages before it was read, as measured"),
            .init("peak_rss_bytes", .int, units: "byte", "Peak resident memory of the process so far"),
            .init("threads", .int, units: "1", "Threads"),
            .init("isa", .string, "Instruction set of the kernels"),
            .init("compute", .string, "Arithmetic: reference or fast"),
            .init("started_at_ns", .int, units: "ns", "Start, nanoseconds since 1970-01-01T00:00:00Z"),
        ])
}
