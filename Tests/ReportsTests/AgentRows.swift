import Reports
import Results
import Testing

/// Rows of the experiments that serve several agents, as a run would write them.
enum AgentRows {
    private static let strings = ["cell", "shape", "paper_model", "weights", "scheme", "mode", "state", "agent", "source", "isa", "gate"]
    private static let ints = ["pass", "order", "context_tokens", "batch", "prompt_tokens", "hit_tokens", "output_tokens", "bytes_loaded", "threads"]
    private static let doubles = [
        "start_seconds", "queued_seconds", "ttft_seconds", "total_seconds", "load_seconds", "exposed_load_seconds", "wall_seconds",
    ]

    static func results(_ name: String, _ rows: [Row], more: [ColumnSchema] = []) throws -> ResultsFile {
        let schema = TableSchema(
            name: name, title: name,
            columns: strings.map { ColumnSchema($0, .string, $0) } + ints.map { ColumnSchema($0, .int, $0) }
                + doubles.map { ColumnSchema($0, .double, units: "s", $0) } + more)
        return SampleRun.file([try SampleRun.table(schema, rows)])
    }

    static func turn(
        mode: String = "together", state: String = "cold", pass: Int = 1, order: Int, batch: Int = 1, agent: String = "A",
        source: String = "fresh", ttft: Double = 1, total: Double = 2, load: Double = 0, exposed: Double = 0,
        wall: Double = 2, output: Int = 10, hit: Int = 0, model: String = "llama3.1-8b",
        scheme: String = "affine-q4-g64", context: Int = 1024, start: Double = 0, queued: Double = 0, gate: String = ""
    ) -> Row {
        [
            "cell": .string("cell \(pass)"), "shape": .string("tiny"), "paper_model": .string(model),
            "weights": .string("synthetic"), "scheme": .string(scheme), "mode": .string(mode), "state": .string(state),
            "agent": .string(agent), "source": .string(source), "isa": .string("avx2"), "pass": .int(Int64(pass)),
            "order": .int(Int64(order)), "context_tokens": .int(Int64(context)), "batch": .int(Int64(batch)), "prompt_tokens": .int(1000),
            "hit_tokens": .int(Int64(hit)),
            "output_tokens": .int(Int64(output)), "bytes_loaded": .int(1000), "threads": .int(2),
            "ttft_seconds": .double(ttft), "total_seconds": .double(total), "load_seconds": .double(load),
            "exposed_load_seconds": .double(exposed), "wall_seconds": .double(wall),
            "start_seconds": .double(start), "queued_seconds": .double(queued), "gate": .string(gate),
        ]
    }
}
