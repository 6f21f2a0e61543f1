import ArgumentParser
import Engine
import Experiments
import Foundation
import Models
import Results
import Schemes

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure prefill and decode speed, in the manner of llama-bench.",
        discussion: "Example: kvlab bench --shape llama3.1-8b --layers 4 --kv affine-q4-g64 --prompt 512 --depth 4096 --generate 32")

    @Option(help: "Model shape, with synthetic weights; see kvlab shapes.")
    var shape: String = "llama-quick"

    @Option(help: ArgumentHelp("A checkpoint instead: a HuggingFace or MLX folder, or a GGUF file.", valueName: "DIR|FILE.gguf"))
    var weights: String?

    @Option(help: "Bits of the checkpoint's weights in memory: 4, 8, 16 or 32; as stored by default.")
    var weightBits: Int?

    @Option(help: "Use only the first layers of the shape.")
    var layers: Int?

    @Option(help: "Cache schemes, separated by spaces or commas; see kvlab schemes.")
    var kv: String = "affine-q4-g64"

    @Option(help: "Prompt tokens; 0 to leave prefill out.")
    var prompt: Int = 512

    @Option(help: "Tokens in the cache before, separated by commas.")
    var depth: String = "0"

    @Option(help: "Tokens to generate; 0 to leave decoding out.")
    var generate: Int = 32

    @Option(help: "Sequences that decode together, separated by commas.")
    var batch: String = "1"

    @Option(help: "Samples of each test, interleaved.")
    var repetitions: Int = 5

    @Flag(help: "Print a JSON array of rows with test, tokensPerSecond (median), samples and memory.")
    var json = false

    @OptionGroup var execution: ExecutionOptions

    private struct Line: Encodable {
        let test: String
        let shape: String
        let weights: String
        let kv: String
        let threads: Int
        let isa: String
        let compute: String
        var samples: [Double]
        /// Of the whole run, the same in all its rows.
        var memory: BenchMemory?
        var tokensPerSecond: Double { Statistics.median(samples) }

        enum CodingKeys: String, CodingKey {
            case test, shape, weights, kv, threads, isa, compute, samples, tokensPerSecond, memory
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(test, forKey: .test)
            try container.encode(shape, forKey: .shape)
            try container.encode(weights, forKey: .weights)
            try container.encode(kv, forKey: .kv)
            try container.encode(threads, forKey: .threads)
            try container.encode(isa, forKey: .isa)
            try container.encode(compute, forKey: .compute)
            try container.encode(samples, forKey: .samples)
            try container.encode(tokensPerSecond, forKey: .tokensPerSecond)
            try container.encode(memory, forKey: .memory)
        }
    }

    func run() throws {
        let tests = try self.tests()
        guard repetitions >= 1 else { throw ValidationError("--repetitions must be at least 1.") }
        guard kv.contains(where: { $0 != " " }) else { throw ValidationError("--kv names no cache scheme; see kvlab schemes.") }
        let execution = try execution.execution()
        let engine = try engine(execution)
        var lines: [Line] = []
        var runs: [() throws -> Double] = []
        var benches: [SpeedBench] = []
        for scheme in try CacheScheme.list(kv) {
            let bench = try SpeedBench(engine: engine, scheme: scheme)
            benches.append(bench)
            for test in tests {
                runs.append { try bench.run(test) }
                lines.append(
                    Line(
                        test: "\(test)", shape: engine.model.name, weights: engine.model.weightsLabel,
                        kv: scheme.description, threads: execution.workers.threadCount, isa: execution.isaName,
                        compute: execution.compute.rawValue, samples: []))
            }
        }
        for repetition in 0...repetitions {
            for (index, run) in runs.enumerated() {
                let sample = try run()
                // The first round is for warming up.
                if repetition > 0 { lines[index].samples.append(sample) }
            }
        }
        let memory = BenchMemory(engine: engine, benches: benches)
        for index in lines.indices { lines[index].memory = memory }
        try show(lines)
    }

    private func engine(_ execution: Execution) throws -> Engine {
        guard let weights else {
            let laboratory = Laboratory(execution: execution, files: try ProjectFiles.locate(), cacheFolder: "")
            return try laboratory.engine(shape: shape, seed: 1, layers: layers)
        }
        guard layers == nil else { throw ValidationError("--layers goes with --shape, not with --weights.") }
        let model = try Checkpoint.open(weights).model(bits: WeightsOptions.bits(weightBits), execution: execution)
        return Engine(model: model, execution: execution)
    }

    private func tests() throws -> [SpeedBench.Test] {
        let depths = try numbers(depth, "--depth", minimum: 0)
        let batches = try numbers(batch, "--batch", minimum: 1)
        guard prompt >= 0, generate >= 0, prompt + generate > 0 else {
            throw ValidationError("--prompt and --generate must be at least 0, and one of them more.")
        }
        if let large = batches.first(where: { $0 > Decoder.StepLimits().sequences }) {
            throw ValidationError("--batch holds \(large); a step takes at most \(Decoder.StepLimits().sequences) sequences.")
        }
        return depths.flatMap { depth -> [SpeedBench.Test] in
            (prompt > 0 ? [.prompt(tokens: prompt, depth: depth)] : [])
                + (generate > 0 ? batches.map { .generate(tokens: generate, depth: depth, batch: $0) } : [])
        }
    }

    private func numbers(_ text: String, _ option: String, minimum: Int) throws -> [Int] {
        try text.split(separator: ",").map { part in
            guard let number = Int(part), number >= minimum else {
                throw ValidationError("\(option) takes whole numbers of at least \(minimum), and has '\(part)'.")
            }
            return number
        }
    }

    private func show(_ lines: [Line]) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(lines), as: UTF8.self))
            return
        }
        let rows = lines.map { line in
            [
                ("shape", line.shape), ("kv", line.kv), ("test", line.test),
                ("tokens/s", String(format: "%.2f", line.tokensPerSecond)),
                ("min", String(format: "%.2f", line.samples.min() ?? .nan)),
                ("max", String(format: "%.2f", line.samples.max() ?? .nan)), ("n", "\(line.samples.count)"),
            ]
        }
        ListOptions.printTable(rows)
        if let line = lines.first {
            print("\nWeights: \(line.weights). Threads: \(line.threads), instruction set: \(line.isa), compute: \(line.compute).")
            if let memory = line.memory { print(memory.sentence) }
        }
    }
}
