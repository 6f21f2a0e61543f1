import CKernels
import Caches
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// A tiny random model and what transformers computes with it, made by `Tests/Fixtures/make_models.py`.
struct Fixture: CustomTestStringConvertible {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/models").standardized.path

    let name: String
    var testDescription: String { name }
    var path: String { "\(Self.folder)/\(name)" }

    /// All of them.
    static let all = try! FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        .filter { $0 != "rope" }.map { Fixture(name: $0) }
    /// Those of one architecture.
    static func all(_ prefix: String) -> [Fixture] { all.filter { $0.name.hasPrefix(prefix) } }
    /// Those whose matrices have whole groups of 64 columns.
    static let wholeGroups = all.filter { $0.name.hasSuffix("whole-groups") }

    func configuration() throws -> any ModelConfiguration {
        try ModelRegistry.configuration(path: path + "/config.json")
    }

    /// How its caches can be.
    var forms: [MLAForm] { name.hasPrefix("deepseek") ? [.expanded, .latent] : [.none] }

    /// The prompt, and logits [tokens, vocabulary].
    func expected() throws -> (tokens: [Int32], logits: [Float]) {
        let file = try SafetensorsFile(path: path + "/expected.safetensors")
        return (
            Array(file.bytes(of: try file.entry("tokens")).bindMemory(to: Int32.self)),
            Array(file.bytes(of: try file.entry("logits")).bindMemory(to: Float.self))
        )
    }
}

/// The weights of a fixture, kept as asked for; what cannot be kept so is kept in 32 bits.
struct FixtureWeights: WeightSource {
    let file: SafetensorsFile
    var storage = Linear.Storage.dense(KL_DENSE_F32)
    /// Replaces an element of a tensor: what damage looks like.
    var damage: (tensor: String, element: Int, value: Float)?

    var label: String { "fixture" }

    init(_ fixture: Fixture) throws {
        file = try SafetensorsFile(path: fixture.path + "/model.safetensors")
    }

    func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear {
        let isRouter = matrices[0].name.hasSuffix("mlp.gate.weight")
        let fits = Linear.canHold(cols: cols, storage) && !isRouter
        let linear = try Linear(
            rows: matrices.reduce(0) { $0 + $1.rows }, cols: cols, storage: fits ? storage : .dense(KL_DENSE_F32))
        var row = 0
        for matrix in matrices {
            let values = try vector(matrix.name, count: matrix.rows * cols)
            linear.fill(row: row, count: matrix.rows, from: KL_DENSE_F32, values, isa: KL_SCALAR)
            row += matrix.rows
        }
        return linear
    }

    func vector(_ name: String, count: Int) throws -> [Float] {
        let entry = try file.entries["language_model." + name] ?? file.entry(name)
        var values = Array(file.bytes(of: entry).bindMemory(to: Float.self))
        precondition(values.count == count, "\(name) has \(values.count) elements, not \(count)")
        if let damage, damage.tensor == name { values[damage.element] = damage.value }
        return values
    }
}

/// A fixture's model, ready to run.
struct FixtureRun {
    let model: any LanguageModel
    let layout: CacheLayout
    let pool = BlockPool(budgetBytes: 256 << 20)

    init(
        _ fixture: Fixture, compute: Compute = .reference, storage: Linear.Storage = .dense(KL_DENSE_F32),
        scheme: String = "fp32", form: MLAForm = .expanded, policy: WindowPolicy = .window, threads: Int = 1,
        isa: kl_isa = kl_isa_best(), damage: (tensor: String, element: Int, value: Float)? = nil
    ) throws {
        var weights = try FixtureWeights(fixture)
        weights.storage = storage
        weights.damage = damage
        model = try ModelRegistry.model(
            name: fixture.name, configuration: fixture.configuration(), weights: weights,
            execution: Execution(workers: WorkerPool(threads: threads), isa: isa, compute: compute), mlaForm: form)
        layout = try CacheLayout(spec: model.cacheSpec, scheme: CacheScheme(expression: scheme), windowPolicy: policy)
    }

    func cache() -> AgentCache { AgentCache(agent: "tester", layout: layout, pool: pool) }

    /// Logits of every token, [tokens, vocabulary], the prompt cut in steps of the given sizes (the last repeats).
    func logits(_ tokens: [Int32], steps: [Int] = [512]) throws -> [Float] {
        let cache = cache()
        var out: [Float] = []
        var start = 0
        var index = 0
        while start < tokens.count {
            let end = min(tokens.count, start + steps[min(index, steps.count - 1)])
            let logits = try model.forward([SequenceStep(cache: cache, tokens: tokens[start..<end], wanted: .all)])
            for row in 0..<logits.rows { out += logits.row(row) }
            start = end
            index += 1
        }
        return out
    }
}

/// How far apart logits are, for each position: ‖a − b‖ / ‖b‖.
func relativeErrors(_ a: [Float], _ b: [Float], width: Int) -> [Double] {
    precondition(a.count == b.count)
    return stride(from: 0, to: b.count, by: width).map { start in
        var difference = 0.0
        var size = 0.0
        for index in start..<(start + width) {
            difference += (Double(a[index]) - Double(b[index])) * (Double(a[index]) - Double(b[index]))
            size += Double(b[index]) * Double(b[index])
        }
        return (difference / size).squareRoot()
    }
}

/// The most likely token at each position.
func choices(_ logits: [Float], width: Int) -> [Int] {
    stride(from: 0, to: logits.count, by: width).map { start in
        (start..<(start + width)).max { logits[$0] < logits[$1] }! - start
    }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
