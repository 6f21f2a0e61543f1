import Caches
import Engine
import Models
import Results
import Schemes

/// Agents that hand what they hold to each other along a graph: bytes moved and time until the answer, with quantized
/// cards, with full-precision cards, and with the text computed again by each who gets it.
///
/// A cell is one pass of one model; its topologies and ways come in a seeded random order. Agents share the machine, so the
/// time is that of all of them, one after another.
public final class TopologiesExperiment: Experiment {
    public static let name = "topologies"
    public static let summary = "bytes moved and time to an answer in chains, stars, debates and trees of agents"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let models: [(shape: String, layers: Int)]
    private let passes: Int
    private let topologies: [Topology]
    private let schemes: [String]
    private let medium: HandoffMedium
    private let agents: Int
    private let partTokens: Int
    private let newTokens: Int
    private let outputTokens: Int
    private let seed: UInt64

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        models = try settings.strings("models").map { try SpeedExperiment.model($0, settings, laboratory) }
        topologies = try settings.strings("topologies", oneOf: Topology.allCases.map(\.rawValue)).map { Topology(rawValue: $0)! }
        schemes = try settings.strings("schemes")
        medium = HandoffMedium(rawValue: try settings.string("medium", oneOf: HandoffMedium.allCases.map(\.rawValue)))!
        agents = try settings.int("agents", in: 2...64)
        partTokens = try settings.int("part_tokens", in: 1...1_000_000)
        newTokens = try settings.int("new_tokens", in: 1...100_000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        passes = try settings.int("passes", in: 1...1000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        // Everything that anybody ever holds.
        let longest = agents * (partTokens + newTokens + outputTokens)
        var largestCard = 0
        for (shape, layers) in models {
            let configuration = try laboratory.configuration(shape: shape, layers: layers)
            guard longest <= configuration.contextLimit else {
                throw settings.bad(
                    "part_tokens", "makes up to \(longest) tokens of all agents, more than the \(configuration.contextLimit) that \(shape) takes")
            }
            for scheme in schemes {
                let layout = try CacheLayout(
                    spec: configuration.cacheSpec(mlaForm: .expanded), scheme: CacheScheme(expression: scheme))
                largestCard = max(largestCard, layout.payloadBytes(tokens: longest))
            }
        }
        try laboratory.requireDiskSpace(largestCard + largestCard / 10 + (16 << 20))
        try settings.finish()
        let passes = passes
        cells = models.flatMap { model in
            (1...passes).map { Cell(name: "topologies/\(model.shape)/\(model.layers)/pass \($0)", cost: Double(model.layers)) }
        }
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let order = cells.firstIndex(of: cell)!
        let (shape, layers) = models[order / passes]
        let cut = try laboratory.cut(shape: shape, layers: layers)
        let engine = try laboratory.engine(shape: shape, seed: seed, layers: cut)
        var generator = SplitMix64(seed: seed &+ UInt64(order) &* 7919)
        let prompt = (0..<newTokens).map { _ in Int32.random(in: 0..<Int32(engine.model.vocabularySize), using: &generator) }
        func newBench(agents: Int, partTokens: Int) -> TopologyBench {
            TopologyBench(
                engine: engine, folder: laboratory.cacheFolder, agents: agents, partTokens: partTokens, prompt: prompt,
                outputTokens: outputTokens, medium: medium, seed: seed)
        }
        // Small answers that are not measured: pages of the weights come in, threads wake.
        for scheme in schemes { _ = try newBench(agents: 2, partTokens: 16).answer(.chain, scheme: scheme, .card) }
        let bench = newBench(agents: agents, partTokens: partTokens)
        // The text is computed again in the first scheme only.
        let ways = schemes.map { ($0, TopologyBench.Way.card) } + [(schemes[0], .prefill)]
        let runs = topologies.flatMap { topology in ways.map { (topology, $0.0, $0.1) } }.shuffled(using: &generator)
        let stands = try laboratory.paperModel(shape: shape)
        return try runs.enumerated().map { index, run in
            var row = try bench.answer(run.0, scheme: run.1, run.2)
            row["cell"] = .string(cell.name)
            row["pass"] = .int(Int64(order % passes + 1))
            row["order"] = .int(Int64(order * 1000 + index))
            row["shape"] = .string(Laboratory.name(shape: shape, layers: cut))
            row["paper_model"] = .string(stands)
            row["weights"] = .string(engine.model.weightsLabel)
            row["threads"] = .int(Int64(engine.execution.workers.threadCount))
            row["isa"] = .string(engine.execution.isaName)
            row["compute"] = .string(engine.execution.compute.rawValue)
            return (Self.schema, row)
        }
    }

    /// One row for each answer.
    public static let schema = TableSchema(
        name: "topologies", title: "Answers of agents that hand over what they hold, one row each",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("shape", .string, "Model shape that ran, and how many of its layers where not all"),
            .init("paper_model", .string, "Published model that the shape stands for"),
            .init("weights", .string, "Weights that ran"),
            .init("topology", .string, "chain, star, debate or tree"),
            .init("scheme", .string, "Scheme of the caches and cards"),
            .init("way", .string, "memory, file, unix or tcp: how cards went; prefill: computed again"),
            .init("agents", .int, units: "1", "Agents"),
            .init("part_tokens", .int, units: "1", "Tokens that each agent holds at first"),
            .init("new_tokens", .int, units: "1", "Tokens of the prompt of each turn"),
            .init("output_tokens", .int, units: "1", "Tokens generated in each turn"),
            .init("handoffs", .int, units: "1", "Handoffs until the answer"),
            .init("moved_tokens", .int, units: "1", "Tokens handed over, each as often as it was"),
            .init("moved_bytes", .int, units: "byte", "Bytes of cards, or four for each token that is computed again"),
            .init("make_seconds", .double, units: "s", "Making cards, once for each sender and round"),
            .init("move_seconds", .double, units: "s", "Writing and reading cards, or their transfer"),
            .init("take_seconds", .double, units: "s", "Seals and digests, and rows into caches"),
            .init("forward_seconds", .double, units: "s", "Forward passes until the first token of each turn"),
            .init("generate_seconds", .double, units: "s", "The tokens after the first of each turn"),
            .init("answer_seconds", .double, units: "s", "All of the above, of all agents"),
            .init("threads", .int, units: "1", "Threads"),
            .init("isa", .string, "Instruction set of the kernels"),
            .init("compute", .string, "Arithmetic: reference or fast"),
            .init("started_at_ns", .int, units: "ns", "Start, nanoseconds since 1970-01-01T00:00:00Z"),
        ])
}
