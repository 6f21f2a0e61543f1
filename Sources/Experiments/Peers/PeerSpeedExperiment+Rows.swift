import Engine
import Results

extension PeerSpeedExperiment {
    /// One row for each time that a contender ran a test.
    public static let schema = TableSchema(
        name: "peer_speed", title: "Speed of kvlab and its peers, one row per run of a contender",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("pass", .int, units: "1", "Repetition"),
            .init("order", .int, units: "1", "Place in the order of measurement"),
            .init("test", .string, "Shape, layers and what was done"),
            .init("shape", .string, "Model shape that ran"),
            .init("layers", .int, units: "1", "Layers of the shape that ran"),
            .init("kind", .string, "prefill or decode"),
            .init("tokens", .int, units: "1", "Tokens computed"),
            .init("depth_tokens", .int, units: "1", "Tokens in the cache before"),
            .init("contender", .string, "Program and type of its cache"),
            .init("program", .string, "Program"),
            .init("version", .string, "Version, as the program says it"),
            .init("kv", .string, "Type of the cache's keys and values"),
            .init("weights", .string, "Weights in kvlab's memory; all contenders load one Q4_0 file"),
            .init("threads", .int, units: "1", "Threads of each program"),
            .init("isa", .string, "Instruction set of kvlab's kernels"),
            .init("tokens_per_second", .double, units: "s-1", "Tokens per second; NaN where it failed"),
            .init("failure", .string, "Why there is no number, in the program's words"),
            .init("started_at_ns", .int, units: "ns", "Start, nanoseconds since 1970-01-01T00:00:00Z"),
        ])

    /// What was aimed at, as the experiment's file said before the run.
    public static let targetSchema = TableSchema(
        name: "peer_targets", title: "Ratios of speeds that are aimed at",
        columns: [
            .init("test", .string, "Shape, layers and what was done"),
            .init("of", .string, "Contender whose speed is divided"),
            .init("over", .string, "Contender whose speed it is divided by"),
            .init("at_least", .double, units: "1", "Smallest ratio that meets the target"),
        ])

    func row(_ test: PeerTest, _ target: PeerTest.Target) -> Row {
        [
            "test": .string(test.id), "of": .string(target.of.description), "over": .string(target.over.description),
            "at_least": .double(target.atLeast),
        ]
    }

    /// All but the columns of the cell.
    func row(_ test: PeerTest, _ contender: PeerTest.Contender, _ result: LlamaBench.Result, _ engine: Engine) -> Row {
        let (sample, failure): (LlamaBench.Sample?, String) =
            switch result {
            case .sample(let sample): (sample, "")
            case .failure(let words): (nil, words)
            }
        return [
            "test": .string(test.id), "shape": .string(test.shape), "layers": .int(Int64(test.layers)),
            "kind": .string(test.kind.rawValue), "tokens": .int(Int64(test.tokens)),
            "depth_tokens": .int(Int64(test.depth)), "contender": .string(contender.description),
            "program": .string(contender.program.rawValue), "version": .string(sample?.version ?? ""),
            "kv": .string(contender.kv), "weights": .string(engine.model.weightsLabel),
            "threads": .int(Int64(engine.execution.workers.threadCount)), "isa": .string(engine.execution.isaName),
            "tokens_per_second": sample.map { .double($0.tokensPerSecond) } ?? .missing, "failure": .string(failure),
        ]
    }
}
