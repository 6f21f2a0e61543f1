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
}
