import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors
import Testing
import Text

/// The checkpoints that come with kvlab, against transformers: `Tests/Fixtures/make_trained.py`.
@Suite struct TrainedCheckpointTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        .standardized.path
    static let fixtures = root + "/Tests/Fixtures/trained"
    static let names = try! FileManager.default.contentsOfDirectory(atPath: fixtures).sorted()
        .map { String($0.dropLast(".safetensors".count)) }

    private func document() throws -> TaskDocument {
        try TaskGenerator(task: .recall, split: .test, seed: 5, settings: TaskSettings(facts: 40...40)).document(0)
    }

    @Test func thereIsAFixtureForEachCheckpoint() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/datasets/checkpoints").sorted()
        #expect(folders == Self.names)
    }

    @Test(arguments: names)
    func logitsAreThoseOfTransformers(name: String) throws {
        let file = try SafetensorsFile(path: "\(Self.fixtures)/\(name).safetensors")
        let tokens = Array(file.bytes(of: try file.entry("tokens")).bindMemory(to: Int32.self))
        let positions = Array(file.bytes(of: try file.entry("positions")).bindMemory(to: Int32.self))
        let expected = Array(file.bytes(of: try file.entry("logits")).bindMemory(to: Float.self))

        let checkpoint = try Checkpoint.open("\(Self.root)/datasets/checkpoints/\(name)")
        #expect(try checkpoint.loadTokenizer().encode(document().text) == tokens)
        let execution = Execution(workers: WorkerPool(threads: 2), compute: .reference)
        let model = try checkpoint.model(bits: .thirtyTwo, execution: execution)
        let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: "fp32"))
        let cache = AgentCache(agent: "test", layout: layout, pool: BlockPool(budgetBytes: .max))
        var position = 0
        var compared = 0
        try Engine(model: model, execution: execution).forEachLogits(cache, tokens) { logits in
            for row in 0..<logits.rows {
                if let index = positions.firstIndex(of: Int32(position)) {
                    let wanted = expected[index * logits.vocabularySize..<(index + 1) * logits.vocabularySize]
                    let worst = zip(logits.row(row), wanted).map { abs($0 - $1) }.max()!
                    #expect(worst <= 1e-4, "position \(position)")
                    compared += 1
                }
                position += 1
            }
        }
        #expect(compared == positions.count && compared >= 8)
    }

    /// Logits of the document, all positions one after another.
    private func logits(
        _ name: String, compute: Compute, bits: WeightBits, kv: String, mlaForm: MLAForm = .expanded
    ) throws -> [Float] {
        let execution = Execution(workers: WorkerPool(threads: 2), compute: compute)
        let checkpoint = try Checkpoint.open("\(Self.root)/datasets/checkpoints/\(name)")
        let model = try checkpoint.model(bits: bits, execution: execution, mlaForm: mlaForm)
        let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: kv))
        let cache = AgentCache(agent: "test", layout: layout, pool: BlockPool(budgetBytes: .max))
        var all: [Float] = []
        try Engine(model: model, execution: execution)
            .forEachLogits(cache, checkpoint.loadTokenizer().encode(document().text)) { logits in
                for row in 0..<logits.rows { all += logits.row(row) }
            }
        return all
    }

    /// │a − b│ ÷ │b│ over all positions.
    private func relativeError(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Double {
        var (error, size) = (0.0, 0.0)
        for (a, b) in zip(a, b) {
            error += Double(a - b) * Double(a - b)
            size += Double(b) * Double(b)
        }
        return (error / size).squareRoot()
    }

    /// The fast path rounds activations for every product; weights are the same 4-bit ones. At every position, but for a few
    /// where a choice of experts is so close that another one is made.
    @Test(arguments: names)
    func fastIsWithinTwoPercent(name: String) throws {
        let fast = try logits(name, compute: .fast, bits: .four, kv: "fp32")
        let reference = try logits(name, compute: .reference, bits: .four, kv: "fp32")
        let whole = relativeError(fast, reference)
        #expect(whole > 0 && whole <= 1e-2, "\(whole)")
        let width = try Checkpoint.open("\(Self.root)/datasets/checkpoints/\(name)").configuration.vocabularySize
        let errors = stride(from: 0, to: fast.count, by: width).map {
            relativeError(fast[$0..<$0 + width], reference[$0..<$0 + width])
        }
        let above = errors.filter { $0 > 2e-2 }.count
        #expect(errors.count > 500 && above <= (name == "deepseek-mini" ? errors.count / 100 : 0), "\(errors.max()!)")
    }

    /// A context that was computed at position 0 and came on a 16-bit card to another position, its keys turned: the logits of
    /// each token that follows are those of a prefill at that position.
    @Test(arguments: names, CardKeys.allCases)
    func movedCards(name: String, keys: CardKeys) throws {
        let execution = Execution(workers: WorkerPool(threads: 2), compute: .reference)
        let checkpoint = try Checkpoint.open("\(Self.root)/datasets/checkpoints/\(name)")
        let article = try String(contentsOfFile: Self.root + "/datasets/articles/markov-chains.md", encoding: .utf8)
        // More context than Gemma's windows.
        let tokens = Array(try checkpoint.loadTokenizer().encode(article).prefix(360))
        let (context, rest) = (Array(tokens[..<320]), Array(tokens[320...]))
        for form in name == "deepseek-mini" ? [MLAForm.expanded, .latent] : [.expanded] {
            let model = try checkpoint.model(bits: .thirtyTwo, execution: execution, mlaForm: form)
            let engine = Engine(model: model, execution: execution)
            let layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: "fp16"))
            func cache(at position: Int) -> AgentCache {
                AgentCache(agent: "a", layout: layout, pool: BlockPool(budgetBytes: .max), positionOffset: position)
            }
            func following(_ cache: AgentCache) throws -> [Float] {
                var all: [Float] = []
                try engine.forEachLogits(cache, rest) { logits in
                    for row in 0..<logits.rows { all += logits.row(row) }
                }
                return all
            }
            let sender = cache(at: 0)
            try engine.prefill(sender, context)
            var request = CardRequest()
            request.keys = keys
            let card = try engine.card(of: sender, request)
            for position in [37, 200] {
                let (there, receiver) = (cache(at: position), cache(at: position))
                try engine.prefill(there, context)
                try engine.inject(card, into: receiver)
                let (expected, found) = (try following(there), try following(receiver))
                #expect(found.count == rest.count * model.vocabularySize)
                let errors = stride(from: 0, to: found.count, by: model.vocabularySize).map { start in
                    relativeError(found[start..<(start + model.vocabularySize)], expected[start..<(start + model.vocabularySize)])
                }
                #expect(errors.max()! > 0 && errors.max()! <= 1e-3, "\(form), position \(position): \(errors.max()!)")
            }
        }
    }

    /// The latent form stores other numbers than the expanded one, both rounded to 16 bits, and means the same.
    @Test func latentAndExpandedAgree() throws {
        let expanded = try logits("deepseek-mini", compute: .reference, bits: .thirtyTwo, kv: "fp16")
        let latent = try logits("deepseek-mini", compute: .reference, bits: .thirtyTwo, kv: "fp16", mlaForm: .latent)
        let error = relativeError(latent, expanded)
        #expect(error > 0 && error <= 1e-4, "\(error)")
    }
}
