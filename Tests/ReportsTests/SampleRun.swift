import Results

/// Made-up results that look like a run: times follow simple laws of the context, passes scatter by a few percent.
enum SampleRun {
    static let ttftSchema = TableSchema(
        name: "ttft", title: "Time to first token",
        columns: [
            ColumnSchema("cell", .string, "cell"), ColumnSchema("pass", .int, "pass"),
            ColumnSchema("order", .int, "order"), ColumnSchema("shape", .string, "shape"),
            ColumnSchema("paper_model", .string, "published model"), ColumnSchema("weights", .string, "weights"),
            ColumnSchema("protocol", .string, "protocol"), ColumnSchema("scheme", .string, "scheme"),
            ColumnSchema("state", .string, "state"), ColumnSchema("variant", .string, "variant"),
            ColumnSchema("page_cache", .string, "page cache"), ColumnSchema("context_rows", .string, "rows of the context"),
            ColumnSchema("context_tokens", .int, units: "tokens", "context"),
            ColumnSchema("hit_tokens", .int, units: "tokens", "hit"),
            ColumnSchema("new_tokens", .int, units: "tokens", "new"),
            ColumnSchema("ttft_seconds", .double, units: "s", "TTFT"),
            ColumnSchema("open_seconds", .double, units: "s", "open"),
            ColumnSchema("read_seconds", .double, units: "s", "read"),
            ColumnSchema("verify_seconds", .double, units: "s", "verify"),
            ColumnSchema("place_seconds", .double, units: "s", "place"),
            ColumnSchema("forward_seconds", .double, units: "s", "forward"),
            ColumnSchema("sample_seconds", .double, units: "s", "sample"),
            ColumnSchema("decode_step_seconds", .double, units: "s", "decode step"),
            ColumnSchema("output_tokens", .int, units: "tokens", "output"),
            ColumnSchema("cache_bytes", .int, units: "bytes", "cache"),
            ColumnSchema("file_bytes", .int, units: "bytes", "file"),
            ColumnSchema("bytes_read", .int, units: "bytes", "read"),
            ColumnSchema("bytes_written", .int, units: "bytes", "written"),
            ColumnSchema("peak_rss_bytes", .int, units: "bytes", "peak RSS"),
            ColumnSchema("threads", .int, "threads"), ColumnSchema("isa", .string, "instruction set"),
            ColumnSchema("same_tokens", .int, "same tokens"), ColumnSchema("first_token", .int, "first token"), ColumnSchema("started_at_ns", .int, units: "ns", "start"),
        ])

    static let capacitySchema = TableSchema(
        name: "capacity", title: "Agents per budget",
        columns: [
            ColumnSchema("cell", .string, "cell"), ColumnSchema("shape", .string, "shape"),
            ColumnSchema("paper_model", .string, "published model"), ColumnSchema("scheme", .string, "scheme"),
            ColumnSchema("context_tokens", .int, units: "tokens", "context"),
            ColumnSchema("window_policy", .string, "window policy"), ColumnSchema("mla_form", .string, "MLA form"),
            ColumnSchema("budget_label", .string, "budget"),
            ColumnSchema("budget_bytes", .int, units: "bytes", "budget"),
            ColumnSchema("bytes_per_agent_computed", .int, units: "bytes", "computed"),
            ColumnSchema("agents_computed", .int, "agents computed"),
            ColumnSchema("agents_measured", .int, "agents measured"),
            ColumnSchema("bytes_per_agent_measured", .int, units: "bytes", "measured"),
            ColumnSchema("pool_bytes_measured", .int, units: "bytes", "pool"),
            ColumnSchema("rss_growth_bytes", .int, units: "bytes", "RSS growth"), ColumnSchema("note", .string, "note"),
        ])

    /// A row of `ttft` that is valid as it stands; tests change what they are about.
    static func ttftRow(
        shape: String = "llama3.1-8b", paperModel: String = "llama3.1-8b", protocolName: String = "paper",
        scheme: String = "affine-q4-g64", state: String, variant: String? = nil, pageCache: String? = nil, pass: Int,
        context: Int, hit: Int = 0, seconds: Double, stages: [Double] = Array(repeating: .nan, count: 6),
        decodeStep: Double = 0.2
    ) -> Row {
        var row: Row = [
            "cell": .string("\(shape)/\(state)/\(context)"), "pass": .int(Int64(pass)), "order": .int(0),
            "shape": .string(shape), "paper_model": .string(paperModel), "weights": .string("synthetic q4-g64"),
            "protocol": .string(protocolName), "scheme": .string(scheme), "state": .string(state),
            "variant": .string(variant ?? (state == "hot" ? "extend" : "exact")),
            "page_cache": .string(pageCache ?? (state == "warm" ? "dropped" : "none")), "context_rows": .string("computed"),
            "context_tokens": .int(Int64(context)), "hit_tokens": .int(Int64(hit)),
            "new_tokens": .int(Int64(context - hit)), "ttft_seconds": .double(seconds),
            "decode_step_seconds": .double(decodeStep), "output_tokens": .int(64),
            "cache_bytes": .int(Int64(context * 36_864)), "file_bytes": .int(Int64(context * 36_864 + 4096)),
            "bytes_read": .int(Int64(hit * 36_864)), "bytes_written": .int(0),
            "peak_rss_bytes": .int(Int64(5_000_000_000 + context * 40_000)), "threads": .int(8),
            "isa": .string("avx2"), "same_tokens": .int(state == "cold" ? -1 : 1), "first_token": .int(42),
            "started_at_ns": .int(0),
        ]
        let names = ["open", "read", "verify", "place", "forward", "sample"]
        for (name, value) in zip(names, stages) { row[name + "_seconds"] = .double(value) }
        return row
    }

    /// A row of `capacity`; measured numbers are −1 where `measured` is nil.
    static func capacityRow(
        shape: String, paperModel: String, scheme: String, context: Int, windowPolicy: String = "full",
        mlaForm: String = "none", budget: (label: String, bytes: Int), bytesPerAgent: Int, measured: Int? = nil,
        note: String = ""
    ) -> Row {
        [
            "cell": .string("\(shape)/\(scheme)/\(context)"), "shape": .string(shape),
            "paper_model": .string(paperModel), "scheme": .string(scheme), "context_tokens": .int(Int64(context)),
            "window_policy": .string(windowPolicy), "mla_form": .string(mlaForm), "budget_label": .string(budget.label),
            "budget_bytes": .int(Int64(budget.bytes)), "bytes_per_agent_computed": .int(Int64(bytesPerAgent)),
            "agents_computed": .int(Int64(budget.bytes / bytesPerAgent)),
            "agents_measured": .int(Int64(measured ?? -1)),
            "bytes_per_agent_measured": .int(measured == nil ? -1 : Int64(bytesPerAgent)),
            "pool_bytes_measured": .int(measured.map { Int64($0 * bytesPerAgent) } ?? -1),
            "rss_growth_bytes": .int(measured.map { Int64($0 * bytesPerAgent + 65_536) } ?? -1), "note": .string(note),
        ]
    }

    static let commit = GitState(commit: "0123456789abcdef0123456789abcdef01234567", dirty: false)
    static let gemmaBudget = (label: "10.2 GiB", bytes: 10_952_166_604)
    static let otherBudget = (label: "10200 MiB", bytes: 10_695_475_200)

    static func file(_ tables: [ResultTable]) -> ResultsFile {
        ResultsFile(
            run: RunRecord(
                runID: "2026-11-21T01-02-03Z-laptop", startedAtNanoseconds: 1_795_222_923_000_000_000,
                finishedAtNanoseconds: 1_795_226_523_000_000_000,
                arguments: ["kvlab", "reproduce", "--profile", "laptop"],
                profile: "laptop", configuration: "profile: laptop\n", configurationHash: "0123456789abcdef",
                git: commit, kvlabVersion: "0.1.0"),
            machine: [
                Attribute("cpu_model", .string("AMD EPYC 7B13")), Attribute("cores_usable", .int(8)),
                Attribute("memory_bytes", .int(33_554_432_000)),
                Attribute("memory_read_bytes_per_second", .double(21.4e9)),
                Attribute("disk_read_bytes_per_second", .double(1.62e9)), Attribute("disk_read_cache", .string("dropped")),
                Attribute("isa", .string("avx2")),
                Attribute("threads", .int(8)), Attribute("kernel", .string("Linux 6.8")),
            ], finishedCells: ["a", "b"].map { FinishedCell(name: $0, seconds: 60, commit: commit.description) }, tables: tables)
    }

    static func table(_ schema: TableSchema, _ rows: [Row]) throws -> ResultTable {
        var table = ResultTable(schema: schema)
        for row in rows { try table.append(row) }
        return table
    }

    /// Three shapes, both protocols, two page-cache states, all policies: as a laptop profile would fill it.
    static func full() throws -> ResultsFile {
        file([try table(ttftSchema, ttftRows()), try table(capacitySchema, capacityRows())])
    }

    private static func ttftRows() -> [Row] {
        let shapes = [
            (name: "gemma3-quick", model: "gemma3-12b", perToken: 0.0046, step: 0.24, deeper: 1.1e-5, bytes: 110_592),
            (
                name: "deepseek-quick", model: "deepseek-v2-lite", perToken: 0.0011, step: 0.09, deeper: 0.4e-5,
                bytes: 77_760
            ),
            (name: "llama3.1-8b", model: "llama3.1-8b", perToken: 0.0024, step: 0.17, deeper: 0.5e-5, bytes: 36_864),
        ]
        var noise = Noise()
        var rows: [Row] = []
        for protocolName in ["paper", "corrected"] {
            for shape in shapes {
                for pass in 0..<6 {
                    for nominal in [1024, 2048, 4096, 8192] {
                        let context = protocolName == "paper" ? nominal * 9 / 10 : nominal
                        func add(_ state: String, _ variant: String, _ cache: String, _ hit: Int, _ new: Int) {
                            let depth = Double(hit + new)
                            let step = shape.step + shape.deeper * depth
                            let bytes = Double(hit * shape.bytes)
                            let stages: [Double] =
                                state == "cold"
                                ? [.nan, .nan, .nan, .nan, shape.perToken * depth * (1 + depth / 60_000), 0.0003]
                                : [
                                    0.0004, cache == "dropped" ? bytes / 1.6e9 : cache == "resident" ? bytes / 11e9 : 0,
                                    bytes / 8e9, bytes / 40e9, step * (new == 1 ? 1.02 : 1 + Double(new) * 0.06),
                                    0.0003,
                                ].map { $0 * noise.next() }
                            let sum = stages.filter { !$0.isNaN }.reduce(0, +) * noise.next()
                            rows.append(
                                ttftRow(
                                    shape: shape.name, paperModel: shape.model, protocolName: protocolName,
                                    state: state,
                                    variant: variant, pageCache: cache, pass: pass, context: hit + new, hit: hit,
                                    seconds: sum + 0.002, stages: stages, decodeStep: step))
                        }
                        add("cold", "exact", "none", 0, context)
                        for cache in ["dropped", "resident"] {
                            add("warm", "exact", cache, context - 1, 1)
                            if protocolName == "corrected" { add("warm", "extend", cache, context, 24) }
                        }
                        if protocolName == "corrected" { add("hot", "exact", "none", context - 1, 1) }
                        add("hot", "extend", "none", context + 128, 24)
                    }
                }
            }
        }
        return rows
    }

    private static func capacityRows() -> [Row] {
        let shapes = [
            (name: "gemma3-12b", model: "gemma3-12b", perToken: 48 * 8 * 512 * 2, mla: "none"),
            (name: "deepseek-coder-v2-lite", model: "deepseek-v2-lite", perToken: 27 * 16 * 320 * 2, mla: "expanded"),
            (name: "llama3.1-8b", model: "llama3.1-8b", perToken: 32 * 8 * 256 * 2, mla: "none"),
        ]
        var rows: [Row] = []
        func both(
            _ name: String, _ model: String, _ context: Int, _ window: String, _ mla: String,
            _ budget: (label: String, bytes: Int), _ fp16: Int, measured: Bool
        ) {
            for (scheme, bytes) in [("fp16", fp16), ("affine-q4-g64", fp16 * 9 / 32)] {
                rows.append(
                    capacityRow(
                        shape: name, paperModel: model, scheme: scheme, context: context, windowPolicy: window,
                        mlaForm: mla, budget: budget, bytesPerAgent: bytes,
                        measured: measured ? budget.bytes / bytes : nil))
            }
        }
        for shape in shapes {
            for budget in [gemmaBudget, otherBudget] {
                for context in [4096, 8192, 16384, 32768] {
                    both(
                        shape.name, shape.model, context, "full", shape.mla, budget, shape.perToken * context,
                        measured: false)
                    if shape.model == "gemma3-12b" {
                        let kept = 8 * context + 40 * 1024
                        both(
                            shape.name, shape.model, context, "window", shape.mla, budget,
                            shape.perToken / 48 * kept, measured: false)
                    }
                    if shape.mla == "expanded" {
                        both(
                            shape.name, shape.model, context, "full", "latent", budget, 27 * 576 * 2 * context,
                            measured: false)
                    }
                }
            }
        }
        for context in [1024, 2048, 4096] {
            both(
                "llama-quick", "llama3.1-8b", context, "full", "none", (label: "1.5 GiB", bytes: 3 << 29),
                8 * 4 * 128 * 4 * context, measured: true)
        }
        return rows
    }

    /// A few percent around 1, always the same sequence.
    struct Noise {
        private var state: UInt64 = 0x2545_F491_4F6C_DD1D
        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return 1 + (Double(state >> 40) / 16_777_216 - 0.4) * 0.08
        }
    }
}
