import CKernels
import Caches
import Foundation
import Schemes
import Testing

/// `kvlab cache` on a folder with two agents.
@Suite struct CacheCommandTests {
    private let program = Program()
    private var folder: String { program.folder + "/caches" }

    init() throws {
        let layer = LayerCacheSpec(kvHeads: 1, keyWidth: 64, valueWidth: 64)
        let layout = try CacheLayout(spec: ModelCacheSpec(layers: [layer, layer]), scheme: CacheScheme(expression: "affine-q4-g64"))
        let caches = try CacheFolder(path: program.folder + "/caches")
        for (name, tokens) in [("anna", 300), ("line\nbreak", 20)] {
            let cache = AgentCache(agent: name, layout: layout, pool: BlockPool(budgetBytes: .max))
            try cache.reserve(tokens)
            let rows = (0..<tokens * 64).map { Float($0 % 17) }
            for layer in 0..<2 {
                cache.store(
                    layer: layer, head: 0, keys: rows, keyStride: 64, values: rows, valueStride: 64, count: tokens,
                    isa: kl_isa_best())
            }
            cache.commit((0..<tokens).map { Int32($0) })
            try caches.agent(name).save(
                cache.snapshot(), identity: CacheIdentity(model: "small", weights: "w", tokenizer: "t", rope: "r"))
        }
    }

    private func cache(_ arguments: String...) throws -> Program.Outcome {
        try program.run(["cache"] + arguments + ["--cache-dir", folder])
    }

    @Test func listAndInspect() throws {
        let list = try cache("list")
        #expect(list.status == 0, "\(list.errors)")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("agent") && lines[1].contains("affine-q4-g64"))
        #expect(lines[2].hasPrefix("line\\nbreak"))
        let array = try JSONSerialization.jsonObject(with: Data(cache("list", "--json").output.utf8)) as? [[String: Any]]
        #expect(array?.map { $0["agent"] as? String } == ["anna", "line\nbreak"])
        #expect(array?.map { $0["tokens"] as? Int } == [300, 20])
        let inspect = try cache("inspect", "anna", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(inspect.output.utf8)) as? [String: Any]
        #expect(object?["weights"] as? String == "w" && object?["rope"] as? String == "r")
        let nobody = try cache("inspect", "nobody")
        #expect(nobody.status == 1 && nobody.errors.hasPrefix("Error: There is no cache of agent 'nobody' in "))
    }

    @Test func verify() throws {
        #expect(try cache("verify").status == 0)
        let file = try CacheFolder(path: folder, access: .read).agent("anna").path + "/segment-0.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        let outcome = try cache("verify")
        #expect(outcome.status == 1 && outcome.errors == "")
        #expect(outcome.output.contains("\(file) is damaged: block 0 of layer 1 does not match its checksum; it is not used."))
        #expect(try cache("verify", "line\nbreak").status == 0)
    }

    @Test func carryAndEvict() throws {
        let file = program.folder + "/anna.safetensors"
        for form in ["mlx", "decoded", "safetensors"] {
            let outcome = try cache("export", "anna", "--form", form, "--out", file)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try cache("export", "anna", "--form", "gguf", "--out", file).status == 2)
        let taken = try cache("import", file)
        #expect(taken.status == 1 && taken.errors.contains("There is a cache of agent 'anna' in "))
        #expect(try cache("import", file, "--agent", "bert").status == 0)
        #expect(try cache("evict", "anna", "bert").status == 0)
        #expect(try cache("evict").status == 2)
        #expect(try cache("evict", "--all").status == 0)
        #expect(try cache("list", "--json").output == "[\n\n]\n")
    }

    @Test func inUse() throws {
        let writer = try CacheFolder(path: folder)
        let outcome = try cache("list")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("Error: The cache folder \(folder) is in use by process "), "\(outcome.errors)")
        withExtendedLifetime(writer) {}
    }
}
