import Reports
import Results

/// Synthetic rows for every rule of the ledger, made from the number that the rule is about.
struct ClaimSample: Sendable {
    /// A value with which the claim holds, and one with which it does not.
    var holds: Double
    var fails: Double
    /// The results with that value.
    var tables: @Sendable (_ x: Double) throws -> [ResultTable]

    /// Every rule of the ledger by the id of its claim.
    static let all: [String: ClaimSample] = {
        var all: [String: ClaimSample] = [:]
        func speed(_ id: String, _ model: String, _ context: Int, _ state: String, _ published: Double) {
            all[id] = ClaimSample(holds: published * 1.1, fails: published * 0.9) { x in
                [try ttft([("cold", context, x), (state, context, 1)], model)]
            }
        }
        let (gemma, deepseek, llama) = ("gemma3-12b", "deepseek-v2-lite", "llama3.1-8b")
        speed("P1-gemma-32k", gemma, 32768, "hot", 172_096.0 / 1264)
        speed("P1-gemma-32k-warm", gemma, 32768, "warm", 172_096.0 / 1819)
        speed("P1-llama-16k", llama, 16384, "warm", 47_629.0 / 431)
        speed("P1-deepseek-32k", deepseek, 32768, "hot", 47_315.0 / 624)
        speed("P1-gemma-4k", gemma, 4096, "hot", 15_736.0 / 719)
        speed("P1-deepseek-4k", deepseek, 4096, "hot", 3970.0 / 366)
        speed("P1-llama-4k", llama, 4096, "hot", 10_235.0 / 429)
        speed("P1-1k-warm", llama, 1024, "warm", 3)
        speed("P1-1k-hot", deepseek, 1024, "hot", 3)
        func growth(_ id: String, _ model: String, _ state: String, _ long: Int, _ holds: Double, _ fails: Double) {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                [try ttft([(state, 1024, 1), (state, long, x)], model)]
            }
        }
        growth("P1-flat-gemma", gemma, "warm", 32768, 3.83, 8)
        growth("P1-flat-deepseek", deepseek, "warm", 32768, 2.71, 6)
        growth("P1-flat-llama", llama, "warm", 16384, 1.66, 4)
        growth("P1-flat-hot", llama, "hot", 16384, 1.28, 3)
        growth("P1-cold-growth", llama, "cold", 16384, 19, 15)
        all["P1-hot-short"] = ClaimSample(holds: 1.2, fails: 0.8) { x in
            [try ttft([1024, 2048, 4096].flatMap { [("hot", $0, x), ("warm", $0, 1)] }, llama)]
        }
        all["P1-hot-long"] = ClaimSample(holds: 0.7, fails: 1.2) { x in
            [try ttft([("hot", 32768, x), ("warm", 32768, 1)], gemma)]
        }
        all["P1-spread"] = ClaimSample(holds: 1.05, fails: 1.2) { x in
            [try inferredTable("ttft", [1, x].enumerated().map { ttftRow("cold", 4096, $1, gemma, pass: $0) })]
        }
        capacity(&all)
        turns(&all)
        components(&all)
        perplexity(&all)
        handoffs(&all)
        hops(&all)
        all["P1-restart"] = ClaimSample(holds: 30, fails: 20) { x in
            let rows = (1...5).flatMap { pass in
                [("cold", x), ("restart", 1.0)].map { state, seconds -> Row in
                    [
                        "contender": .string("kvlab affine-q4-g64"), "state": .string(state), "context_tokens": .int(4096),
                        "pass": .int(Int64(pass)), "seconds": .double(seconds), "shape": .string("llama3.2-1b"),
                        "weights": .string("q4"),
                    ]
                }
            }
            return [try inferredTable("peer_restore", rows)]
        }
        return all
    }()

    /// Exact counts and bytes; the value is the bytes of an agent as a multiple of the true ones.
    private static func capacity(_ all: inout [String: ClaimSample]) {
        let budgets = [SampleRun.gemmaBudget, SampleRun.otherBudget]
        func agents(
            _ id: String, _ shape: String, _ fp16PerToken: Int, _ context: Int, mla: String = "none", holds: Double = 1,
            fails: Double = 1.3
        ) {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                let rows = budgets.flatMap { budget in
                    [("fp16", 1.0), ("affine-q4-g64", 9.0 / 32 * x)].map { scheme, share in
                        SampleRun.capacityRow(
                            shape: shape, paperModel: shape, scheme: scheme, context: context, mlaForm: mla, budget: budget,
                            bytesPerAgent: Int(Double(fp16PerToken * context) * share * (id == "P1-fp16-8k" ? x : 1)),
                            measured: 5)
                    }
                }
                return [try inferredTable("capacity", rows)]
            }
        }
        let (gemma, deepseek, llama) = (48 * 8 * 512 * 2, 27 * 16 * 320 * 2, 32 * 8 * 256 * 2)
        agents("P1-fp16-8k", "gemma3-12b", gemma, 8192)
        agents("P1-q4-gemma-4k", "gemma3-12b", gemma, 4096)
        agents("P1-q4-deepseek-4k", "deepseek-coder-v2-lite", deepseek, 4096, mla: "expanded")
        agents("P1-q4-llama-4k", "llama3.1-8b", llama, 4096)
        // With the true bytes this claim does not hold: the paper contradicts itself.
        agents("P1-one-budget", "gemma3-12b", gemma, 4096, holds: 0.98, fails: 1)
        agents("P1-4x-agents", "llama3.1-8b", llama, 4096, holds: 0.8, fails: 1)
        agents("P1-4x-8k", "gemma3-12b", gemma, 8192)
        agents("P1-0.281", "llama3.1-8b", llama, 4096)
        agents("P1-0.281-measured", "llama3.1-8b", llama, 4096)
        agents("P1-bytes-gemma", "gemma3-12b", gemma, 4096)
        agents("P1-bytes-deepseek", "deepseek-coder-v2-lite", deepseek, 4096, mla: "expanded")
        agents("P1-bytes-llama", "llama3.1-8b", llama, 4096)
    }

    /// Agents that are served among others.
    private static func turns(_ all: inout [String: ClaimSample]) {
        func pair(
            _ id: String, _ table: String, holds: Double, fails: Double, _ first: @escaping @Sendable (Double) -> Turn,
            _ second: Turn
        ) {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                [try inferredTable(table, (1...3).flatMap { [first(x).row(pass: $0), second.row(pass: $0)] })]
            }
        }
        let one = Turn(state: "warm", context: 1024)
        let two = one.with(\.batch, 2)
        pair("P1-batch-2x", "batched", holds: 1.9, fails: 1.1, { two.with(\.wall, 1 / $0) }, one)
        for (id, context) in [("P1-warm-throughput", 4096), ("P1-warm-throughput-growth", 16384)] {
            let warm = two.with(\.context, context)
            pair(id, "batched", holds: 6.5, fails: 4, { warm.with(\.wall, 1 / $0) }, warm.with(\.state, "cold"))
        }
        let alone = Turn(mode: "sequential", state: "cold", context: 4096).with(\.agent, "B")
        let together = alone.with(\.mode, "batched")
        pair("P1-stagger-wall", "staggered", holds: 1, fails: 1.3, { together.with(\.wall, $0) }, alone)
        pair("P1-stagger-b", "staggered", holds: 1, fails: 1.3, { together.with(\.total, $0) }, alone)
        pair("P1-stagger-ttft", "staggered", holds: 2, fails: 0.9, { together.with(\.ttft, $0).with(\.queued, 0) }, alone)
        let persistent = Turn(mode: "persistent", state: "5 verdict", context: 200)
        let cold = persistent.with(\.mode, "cold")
        pair("P1-phases", "phases", holds: 1.2, fails: 0.9, { cold.with(\.ttft, $0) }, persistent)
        pair("P1-phase-5", "phases", holds: 2, fails: 1.8, { cold.with(\.ttft, $0) }, persistent)
        pair("P1-wall", "phases", holds: 0.7, fails: 0.826, { persistent.with(\.total, $0) }, cold)
        let reload = Turn(mode: "affine-q4-g64 persisted", state: "dropped", context: 4096)
        let again = reload.with(\.mode, "fp16 re-prefill").with(\.scheme, "fp16")
        pair("P1-evicted", "thrash", holds: 30, fails: 20, { again.with(\.ttft, $0) }, reload)
        let hidden = reload.with(\.mode, "affine-q4-g64 persisted, prefetched").with(\.load, 1)
        pair("P1-hidden", "thrash", holds: 0.05, fails: 0.3, { hidden.with(\.exposed, $0) }, again)
        for (id, model, published) in [
            ("P1-routing-gemma", "gemma3-12b", 24.2), ("P1-routing-deepseek", "deepseek-v2-lite", 13.0),
        ] {
            let query = Turn(mode: "expert", state: "2 queries (warm)", context: 4096).with(\.model, model)
            pair(
                id, "routing", holds: published * 1.1, fails: published * 0.9,
                { query.with(\.state, "1 priming (cold)").with(\.ttft, $0) }, query)
        }
        let query = Turn(mode: "expert", state: "2 queries (warm)", context: 4096)
        pair(
            "P1-routing-repeat", "routing", holds: 1.02, fails: 0.5, { query.with(\.state, "3 repeated (hot)").with(\.ttft, $0) },
            query)
    }

    private static func components(_ all: inout [String: ClaimSample]) {
        for (id, component, holds, fails) in [
            ("P1-ablation-persistence", "persistence", 30.0, 20.0), ("P1-ablation-order", "persistence", 5, 3),
            ("P1-ablation-phase", "cross-phase", 2, 1.5),
        ] {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                let rows: [Row] = (1...3).flatMap { pass in
                    [(0, x), (1, 1.0)].map { enabled, value in
                        [
                            "pass": .int(Int64(pass)), "shape": .string("gemma-quick"), "paper_model": .string("gemma3-12b"),
                            "component": .string(component), "enabled": .int(Int64(enabled)), "context_tokens": .int(4096),
                            "value": .double(value), "weights": .string("synthetic"), "scheme": .string("affine-q4-g64"),
                        ]
                    }
                }
                return [try inferredTable("ablation", rows)]
            }
        }
    }

    private static func perplexity(_ all: inout [String: ClaimSample]) {
        for (id, table, shape, holds, fails) in [
            ("P1-ppl-gemma", "perplexity", "gemma3-12b", -0.01, 0.01),
            ("P1-ppl-deepseek", "perplexity", "deepseek-coder-v2-lite", 0.03, 0.05),
            ("P1-ppl-llama", "perplexity", "llama3.1-8b", 0.028, 0.05), ("P1-ppl-3", "kld", "", 0.01, 0.05),
        ] {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                let rows: [Row] = ["a", "b", "c"].map { text in
                    [
                        "text": .string(text), "model": .string("one"), "same_shape_as": .string(shape),
                        "protocol": .string("paper"), "scheme": .string("affine-q4-g64"), "compute": .string("reference"),
                        "tokens_scored": .int(100), "base_loss_sum": .double(200), "loss_sum": .double(200 + 100 * x),
                    ]
                }
                return [try inferredTable(table, rows)]
            }
        }
    }

    /// Handoffs through TCP that take a second, and through memory half of one. The value goes into a column of the longer
    /// context, and of the shorter one where nothing else is said.
    private static func handoffs(_ all: inout [String: ClaimSample]) {
        func sample(_ id: String, _ column: String, holds: Double, fails: Double, at1K: Double? = nil) {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                var rows: [Row] = []
                for pass in 1...3 {
                    for context in [1024, 8192] {
                        for way in ["memory", "tcp", "prefill"] {
                            var row = handoffRow(way, context: context, pass: pass)
                            row[column] = .double(context == 1024 ? at1K ?? x : x)
                            rows.append(row)
                        }
                    }
                }
                return [try inferredTable("handoff", rows)]
            }
        }
        sample("P2-1k", "prefill_seconds", holds: 150.2 / 130.7 * 1.1, fails: 1.1)
        sample("P2-8k", "prefill_seconds", holds: 1029.7 / 397.1 * 1.1, fails: 2.5)
        sample("P2-every", "prefill_seconds", holds: 1.05, fails: 0.95, at1K: 3)
        sample("P2-growth", "prefill_seconds", holds: 2.1, fails: 1.9, at1K: 2)
        sample("P2-stages", "handover_seconds", holds: 0.4, fails: 0.6)
        sample("P2-card", "make_seconds", holds: 0.09, fails: 0.11)
    }

    private static func handoffRow(_ way: String, context: Int, pass: Int) -> Row {
        var row: Row = [
            "pass": .int(Int64(pass)), "shape": .string("llama3.1-8b (4 layers)"), "paper_model": .string("llama3.1-8b"),
            "weights": .string("synthetic"), "way": .string(way), "scheme": .string("affine-q4-g64"),
        ]
        row["own_tokens"] = .int(0)
        row["context_tokens"] = .int(Int64(context))
        row["ttft_seconds"] = .double(way == "memory" ? 0.5 : 1)
        for stage in ["make", "write", "transfer", "read", "verify", "inject", "forward", "handover", "prefill"] {
            row["\(stage)_seconds"] = .double(0.1)
        }
        row["path_seconds"] = .double(1)
        return row
    }

    /// 20 answers after eight handoffs, 10 right with uniform cards; the value is how many with adaptive ones.
    private static func hops(_ all: inout [String: ClaimSample]) {
        for (id, shape, task, holds, fails) in [
            ("P2-deeper", "", "recall", 15.0, 10.0), ("P2-competitive", "", "recall", 10, 9),
            ("P2-gsm8k", "llama3.1-8b", "gsm8k", 10, 9),
        ] {
            all[id] = ClaimSample(holds: holds, fails: fails) { x in
                let rows: [Row] = [("uniform", 10), ("topology", x)].flatMap { controller, right in
                    (0..<20).map { answer in
                        [
                            "model": .string("one"), "same_shape_as": .string(shape), "task": .string(task),
                            "controller": .string(controller),
                            "hops": .int(8), "budget_bits": .double(4), "right": .int(Double(answer) < right ? 1 : 0),
                        ]
                    }
                }
                return [try inferredTable("hops", rows)]
            }
        }
    }

    static func ttft(_ requests: [(state: String, context: Int, seconds: Double)], _ model: String) throws -> ResultTable {
        try inferredTable(
            "ttft", (1...3).flatMap { pass in requests.map { ttftRow($0.state, $0.context, $0.seconds, model, pass: pass) } })
    }

    /// Hot requests are 24 tokens longer than the context that they belong to.
    static func ttftRow(_ state: String, _ context: Int, _ seconds: Double, _ model: String, pass: Int) -> Row {
        SampleRun.ttftRow(
            shape: model, paperModel: model, state: state, pass: pass, context: context + (state == "hot" ? 24 : 0),
            seconds: seconds)
    }

    /// A turn that takes a second of everything.
    struct Turn: Sendable {
        var mode = "together"
        var state: String
        var context: Int
        var model = "llama3.1-8b"
        var scheme = "affine-q4-g64"
        var agent = "A"
        var batch = 1
        var ttft = 1.0
        var queued = 0.0
        var total = 1.0
        var wall = 1.0
        var load = 0.0
        var exposed = 0.0

        func with<V>(_ path: WritableKeyPath<Turn, V>, _ value: V) -> Turn {
            var changed = self
            changed[keyPath: path] = value
            return changed
        }

        func row(pass: Int) -> Row {
            [
                "pass": .int(Int64(pass)), "shape": .string("shape"), "paper_model": .string(model), "mode": .string(mode),
                "state": .string(state), "context_tokens": .int(Int64(context)), "scheme": .string(scheme),
                "weights": .string("synthetic"), "agent": .string(agent), "batch": .int(Int64(batch)),
                "output_tokens": .int(10), "ttft_seconds": .double(ttft), "queued_seconds": .double(queued),
                "total_seconds": .double(total), "wall_seconds": .double(wall), "load_seconds": .double(load),
                "exposed_load_seconds": .double(exposed),
            ]
        }
    }
}
