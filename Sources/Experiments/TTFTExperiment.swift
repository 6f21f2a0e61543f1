import CKernels
import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Time to first token of one agent: cold (nothing cached), warm (evicted to disk and loaded again) and hot (still in
/// memory), each with the identical prompt (one token computed) and with an extended one.
///
/// A cell is one pass of one shape, scheme and context: its cold run makes the cache that the others use. Passes and
/// contexts are interleaved in a seeded random order, and so are the variants of a cell.
/// - Source: arXiv 2603.04428, tables 3 and 13, figure 2.
public final class TTFTExperiment: Experiment {
    public static let name = "ttft"
    public static let summary = "time to first token: cold, warm (from disk) and hot (in memory), over contexts"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let outputTokens: Int
    private let extendTokens: Int
    private let pageCaches: [PageCache]
    private let contextRows: ContextRows
    private let seed: UInt64

    private struct Plan {
        let shape: String
        let scheme: String
        let context: Int
        let pass: Int
        let order: Int
    }

    enum PageCache: String, CaseIterable {
        case resident, dropped
    }

    /// Where the rows of the context come from.
    enum ContextRows: String, CaseIterable {
        /// A cold request computes them.
        case computed
        /// They are random, and there is no cold request: warm and hot ones in a fraction of the time.
        case random
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let shapes = try settings.strings("shapes", oneOf: laboratory.shapeNames)
        let schemes = try settings.strings("schemes")
        let contexts = try settings.ints("contexts", in: 2...10_000_000)
        let passes = try settings.int("passes", in: 1...1000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        extendTokens = try settings.int("extend_tokens", in: 1...100_000)
        pageCaches = try settings.strings("page_cache", oneOf: PageCache.allCases.map(\.rawValue)).map { PageCache(rawValue: $0)! }
        contextRows = ContextRows(
            rawValue: try settings.string("context_rows", oneOf: ContextRows.allCases.map(\.rawValue)))!
        let seed = UInt64(try settings.int("seed", in: 0...Int.max))
        self.seed = seed

        var plans: [(plan: Plan, cost: Double)] = []
        var largestFile = 0
        for shape in shapes {
            let configuration = try laboratory.configuration(shape: shape)
            for context in contexts {
                let needed = context + extendTokens + 2 * outputTokens
                guard needed <= configuration.contextLimit else {
                    throw settings.bad(
                        "contexts",
                        "holds \(context), which with \(needed - context) new tokens is more than the "
                            + "\(configuration.contextLimit) that \(shape) takes")
                }
                for scheme in schemes {
                    let layout = try CacheLayout(
                        spec: configuration.cacheSpec(mlaForm: .expanded), scheme: CacheScheme(expression: scheme))
                    largestFile = max(largestFile, layout.agentBytes(tokens: needed))
                    for pass in 1...passes {
                        plans.append((Plan(shape: shape, scheme: scheme, context: context, pass: pass, order: 0), 0))
                    }
                }
            }
        }
        try laboratory.requireDiskSpace(largestFile + largestFile / 10 + (16 << 20))
        try settings.finish()

        // Shapes one after another, for a model is large; everything else in random order.
        var generator = SplitMix64(seed: seed)
        let shuffled = shapes.flatMap { shape in
            plans.map(\.plan).filter { $0.shape == shape }.shuffled(using: &generator)
        }
        var named: [String: Plan] = [:]
        var cells: [Cell] = []
        for (order, plan) in shuffled.enumerated() {
            let name = "ttft/\(plan.shape)/\(plan.scheme)/\(plan.context)/pass \(plan.pass)"
            named[name] = Plan(
                shape: plan.shape, scheme: plan.scheme, context: plan.context, pass: plan.pass, order: order)
            let configuration = try laboratory.configuration(shape: plan.shape)
            cells.append(
                Cell(name: name, cost: Double(plan.context) * Double(configuration.cacheSpec(mlaForm: .expanded).layers.count)))
        }
        self.plans = named
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let engine = try laboratory.engine(shape: plan.shape, seed: seed)
        let bench = try Bench(
            engine: engine, scheme: plan.scheme, caches: CacheFolder(path: laboratory.cacheFolder),
            prompt: prompt(plan, length: plan.context + extendTokens, vocabulary: engine.model.vocabularySize),
            context: plan.context, extend: extendTokens, outputTokens: outputTokens)
        defer { bench.removeFiles() }
        try bench.warmUp()

        var samples: [Bench.Sample] = []
        switch contextRows {
        case .computed: samples.append(try bench.cold())
        case .random: try bench.fill(seed: seed)
        }
        var rest: [() throws -> Bench.Sample] = []
        for extended in [false, true] {
            rest.append { try bench.hot(extended: extended) }
            for pageCache in pageCaches {
                rest.append { try bench.warm(extended: extended, pageCache: pageCache) }
            }
        }
        var generator = SplitMix64(seed: seed &+ UInt64(plan.order))
        for sample in rest.shuffled(using: &generator) { samples.append(try sample()) }

        let stands = try laboratory.paperModel(shape: plan.shape)
        return samples.enumerated().map { index, sample in
            var row = sample.row
            row["cell"] = .string(cell.name)
            row["pass"] = .int(Int64(plan.pass))
            row["order"] = .int(Int64(plan.order * 100 + index))
            row["shape"] = .string(plan.shape)
            row["paper_model"] = .string(stands)
            row["weights"] = .string(engine.model.weightsLabel)
            row["protocol"] = .string("corrected")
            row["context_rows"] = .string(contextRows.rawValue)
            row["threads"] = .int(Int64(engine.execution.workers.threadCount))
            row["isa"] = .string(engine.execution.isaName)
            row["compute"] = .string(engine.execution.compute.rawValue)
            return (Self.schema, row)
        }
    }

    /// Synthetic token ids: they depend on the seed, the context and the pass.
    private func prompt(_ plan: Plan, length: Int, vocabulary: Int) -> [Int32] {
        var generator = SplitMix64(seed: seed &+ UInt64(plan.context) &* 1_000_003 &+ UInt64(plan.pass))
        return (0..<length).map { index in
            let token = Int32.random(in: 0..<Int32(vocabulary), using: &generator)
            return contextRows == .random && index < plan.context ? 0 : token
        }
    }
}

extension TTFTExperiment {
    /// One row for each request.
    public static let schema = TableSchema(
        name: "ttft", title: "Time to first token, one row per request",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("shape", .string, "Model shape that ran"),
            .init("paper_model", .string, "Published model that the shape stands for"),
            .init("weights", .string, "Weights that ran"),
            .init("protocol", .string, "Measurement protocol"),
            .init("scheme", .string, "Cache scheme, read back from the cache"),
            .init("context_rows", .string, "Rows of the context: computed by the cold request, or random and without one"),
            .init("state", .string, "cold, warm (loaded from disk) or hot (in memory)"),
            .init("variant", .string, "Same prompt (exact) or prompt and new tokens (extend)"),
            .init("page_cache", .string, "State of the file's pages before the load, as measured"),
            .init("context_tokens", .int, units: "1", "Tokens of the prompt"),
            .init("hit_tokens", .int, units: "1", "Prompt tokens found in the cache"),
            .init("new_tokens", .int, units: "1", "Prompt tokens computed"),
            .init("ttft_seconds", .double, units: "s", "From request to first token"),
            .init("open_seconds", .double, units: "s", "Opening and checking the file's header"),
            .init("read_seconds", .double, units: "s", "Bringing the file's pages into memory"),
            .init("verify_seconds", .double, units: "s", "Checksums of all blocks"),
            .init("place_seconds", .double, units: "s", "Handing the blocks to the agent"),
            .init("forward_seconds", .double, units: "s", "Forward passes over the new prompt tokens"),
            .init("sample_seconds", .double, units: "s", "From logits to the first token"),
            .init("decode_step_seconds", .double, units: "s", "Median decode step after the first token"),
            .init("output_tokens", .int, units: "1", "Tokens generated"),
            .init("same_tokens", .int, units: "1", "1: the tokens equal those of the cache that was never saved; 0: they differ; -1: nothing to compare with"),
            .init("cache_bytes", .int, units: "byte", "Bytes of the agent's blocks after the prompt"),
            .init("file_bytes", .int, units: "byte", "Size of the cache file"),
            .init("bytes_read", .int, units: "byte", "Bytes that the system read from the disk; -1 where it does not say"),
            .init("bytes_written", .int, units: "byte", "Bytes written to the cache file"),
            .init("peak_rss_bytes", .int, units: "byte", "Peak resident memory of the process so far"),
            .init("threads", .int, units: "1", "Threads"),
            .init("isa", .string, "Instruction set of the kernels"),
            .init("compute", .string, "Arithmetic: reference or fast"),
            .init("first_token", .int, units: "1", "First token"),
            .init("started_at_ns", .int, units: "ns", "Start of the request, nanoseconds since 1970-01-01T00:00:00Z"),
        ])
}
