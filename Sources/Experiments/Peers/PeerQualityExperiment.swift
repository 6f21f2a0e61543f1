import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Text

/// What quantized caches do to predictions here and in llama.cpp, by llama.cpp's own measure on the same file and text.
///
/// A cell is a checkpoint. It is exported in 32 bits with its own tokenizer; `llama-perplexity` computes the base with 16-bit keys
/// and values, and then each cache against it; kvlab does the same on the same windows, on the `reference` path. Where the two
/// make other tokens of the text there is nothing to compare, and llama.cpp's rows say so.
public final class PeerQualityExperiment: Experiment {
    public static let name = "peer-quality"
    public static let summary = "KL divergence of quantized caches beside llama-perplexity, on the same file and text"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let models: PeerModels
    private let llama: LlamaPerplexity
    let setup: Setup

    /// What is the same in all cells.
    struct Setup {
        let base: QualityPair
        let window: Int
        let windows: Int
        let form: MLAForm
        /// Between which a ratio of a pair is to be.
        let ratios: (low: Double, high: Double)
        let threads: Int
        let isa: String

        /// Positions whose next tokens are compared: those of the second half, but for the last.
        var counted: Range<Int> { window / 2 + 1..<window }
    }

    struct Plan {
        let model: QualityModel
        let pairs: [QualityPair]
        let tokenizer: TokenizerMetadata
        let texts: [String]
        let text: Data
        /// Of the text, with what stands before it.
        let tokens: [Int32]
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let texts = try settings.strings("texts")
        let (low, high) = (try settings.double("lowest_ratio", in: 0...1), try settings.double("highest_ratio", in: 1...1000))
        setup = Setup(
            base: QualityPair(
                kvlab: try settings.string("base_scheme"),
                peer: .init(kv: try settings.string("base_type", oneOf: QualityPair.types), rotates: false)),
            window: try settings.int("window", in: 4...1_000_000),
            windows: try settings.int("windows", in: 1...1_000_000),
            form: MLAForm(rawValue: try settings.string("mla_form", oneOf: ["expanded", "latent"]))!, ratios: (low, high),
            threads: laboratory.execution.workers.threadCount, isa: laboratory.execution.isaName)
        let given = try settings.string("peers")
        let peers = given.hasPrefix("/") ? given : "\(laboratory.files.root)/\(given)"
        llama = LlamaPerplexity(
            program: peers + "/bin/llama-perplexity", folder: laboratory.cacheFolder,
            timeoutSeconds: try settings.int("timeout_seconds", in: 1...1_000_000))
        let tests = try settings.groups("tests").map { group in
            let (weights, pairs) = (try group.strings("weights"), try group.groups("pairs").map { try QualityPair($0) })
            guard Set(pairs.map(\.kvlab)).count == pairs.count else { throw group.bad("pairs", "has a cache of kvlab twice") }
            try group.finish()
            return (weights: weights, pairs: pairs)
        }
        try settings.finish()
        models = PeerModels(folder: peers + "/models", laboratory: laboratory, seed: 0)

        let files = try texts.flatMap { try QualityText.files(at: laboratory.path($0)) }
        let text = Data(try files.map { try QualityText.contents($0) }.joined(separator: [UInt8(ascii: "\n")]))
        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        let form = setup.form
        let all = try tests.flatMap { test in
            try QualityModel.open(test.weights, in: laboratory, mlaForm: form).map { ($0, test.pairs) }
        }
        for (model, pairs) in all {
            let configuration = model.checkpoint.configuration
            guard setup.window <= configuration.contextLimit else {
                throw settings.bad(
                    "window", "is \(setup.window), more than the \(configuration.contextLimit) that \(model.checkpoint.name) takes")
            }
            let tokens = model.tokenizer.encode(bytes: text)
            guard tokens.count >= max(2, setup.windows) * setup.window else {
                throw settings.bad(
                    "windows",
                    "is \(setup.windows) of \(setup.window) tokens, and the texts have \(tokens.count) of \(model.checkpoint.name)")
            }
            // A scheme that does not suit the model is refused before anything is measured, and so is a tokenizer.
            for pair in [setup.base] + pairs {
                _ = try CacheLayout(spec: configuration.cacheSpec(mlaForm: setup.form), scheme: CacheScheme(expression: pair.kvlab))
            }
            guard let tokenizer = try model.checkpoint.tokenizerMetadata() else {
                throw EngineError.noTokenizer(checkpoint: model.checkpoint.path, isFolder: true)
            }
            let name = "peer-quality/\(model.checkpoint.name)"
            guard plans[name] == nil else {
                throw settings.bad("tests", "has two checkpoints named \(model.checkpoint.name)")
            }
            plans[name] = Plan(
                model: model, pairs: pairs, tokenizer: tokenizer, texts: files.map { ($0 as NSString).lastPathComponent }, text: text,
                tokens: tokens)
            cells.append(Cell(name: name, cost: Double(setup.windows * (pairs.count + 1))))
        }
        // The base's logits in 16 bits.
        let rows = plans.values.map(\.model.checkpoint.configuration.vocabularySize).max() ?? 0
        try laboratory.requireDiskSpace(setup.windows * setup.window * rows + (64 << 20))
        self.plans = plans
        self.cells = cells
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let common = commonColumns(cell, plan)
        var rows: [(schema: TableSchema, row: Row)] = []
        for (peer, startedAt, result) in try peers(plan) {
            rows.append((Self.schema, row(plan, peer, result, startedAt: startedAt).merging(common) { $1 }))
        }
        let startedAt = Int64(Date().timeIntervalSince1970 * 1e9)
        for (pair, tokens) in try own(plan) {
            let series = ["model": common["model"]!, "kv": Value.string(pair.kvlab)]
            rows.append((Self.schema, try row(plan, pair, tokens.flatMap(\.self), startedAt: startedAt).merging(common) { $1 }))
            for (window, tokens) in tokens.enumerated() {
                for (position, token) in zip(setup.counted, tokens) {
                    let row: Row = [
                        "window": .int(Int64(window)), "position": .int(Int64(position)), "kld": .double(token.klDivergence),
                    ]
                    rows.append((Self.tokenSchema, series.merging(row) { $1 }))
                }
            }
        }
        return rows
    }

    typealias PeerResult = Result<LlamaPerplexity.Divergence, LlamaPerplexity.Failure>

    /// Every cache of llama.cpp that stands in a pair, once.
    private func peers(_ plan: Plan) throws -> [(QualityPair.Peer, startedAt: Int64, PeerResult)] {
        let model = try models.file(plan.model.checkpoint, tokenizer: plan.tokenizer, mlaForm: setup.form)
        let folder = "\(laboratory.cacheFolder)/\(UUID().uuidString)"
        let job = LlamaPerplexity.Job(
            model: model, text: folder + "/text", window: setup.window, windows: setup.windows, threads: setup.threads,
            logits: folder + "/logits")
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try plan.text.write(to: URL(fileURLWithPath: job.text))
        } catch {
            throw ExperimentsError.cannotWrite(folder: folder, reason: error.localizedDescription)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var failure: LlamaPerplexity.Failure?
        do throws(LlamaPerplexity.Failure) {
            try check(llama.base(job, kv: setup.base.peer!.kv), plan)
        } catch { failure = error }
        var all: [QualityPair.Peer] = []
        for peer in plan.pairs.compactMap(\.peer) where !all.contains(peer) { all.append(peer) }
        return all.map { peer in
            let startedAt = Int64(Date().timeIntervalSince1970 * 1e9)
            if let failure { return (peer, startedAt, .failure(failure)) }
            do throws(LlamaPerplexity.Failure) {
                let divergence = try llama.divergence(job, kv: peer.kv, rotates: peer.rotates)
                guard divergence.rotated == [peer.rotates, peer.rotates] else {
                    throw LlamaPerplexity.Failure(words: "it rotated keys and values otherwise than it was told")
                }
                return (peer, startedAt, .success(divergence))
            } catch { return (peer, startedAt, .failure(error)) }
        }
    }

    /// The same tokens in the same windows, for the model that both have.
    private func check(_ base: LlamaPerplexity.Base, _ plan: Plan) throws(LlamaPerplexity.Failure) {
        let own = plan.tokens[..<(setup.windows * setup.window)]
        guard base.window == setup.window, base.tokens.count == own.count else {
            throw LlamaPerplexity.Failure(words: "it computed \(base.tokens.count) tokens in windows of \(base.window)")
        }
        let rows = plan.model.checkpoint.configuration.vocabularySize
        guard base.vocabularySize == rows else {
            throw LlamaPerplexity.Failure(words: "it has \(base.vocabularySize) tokens, and the model \(rows)")
        }
        if let index = own.indices.first(where: { own[$0] != base.tokens[$0] }) {
            throw LlamaPerplexity.Failure(
                words: "its tokenizer makes other tokens of the text than kvlab's, from token \(index) on")
        }
    }

    /// The divergences of every cache of kvlab, window by window.
    private func own(_ plan: Plan) throws -> [(QualityPair, [[TokenDivergence]])] {
        let engine = try plan.model.engine(.reference, like: laboratory.execution)
        func subject(_ pair: QualityPair) throws -> QualityPass.Subject {
            QualityPass.Subject(engine: engine, scheme: try CacheScheme(expression: pair.kvlab))
        }
        let pass = try QualityPass(base: subject(setup.base), subjects: plan.pairs.map(subject), cacheFolder: nil)
        var all = plan.pairs.map { ($0, [[TokenDivergence]]()) }
        for window in 0..<setup.windows {
            var tokens = Array(plan.tokens[window * setup.window..<(window + 1) * setup.window])
            // Every window begins as a text does.
            if plan.tokenizer.addsBOS == true, let bos = plan.tokenizer.bosID { tokens[0] = Int32(bos) }
            for (index, outcome) in try pass.run(tokens, counted: setup.counted).enumerated() {
                all[index].1.append(outcome.tokens)
            }
        }
        return all
    }

    /// As llama.cpp says it.
    private(set) lazy var peerVersion: String = llama.version()
}
