import Engine
import Models

/// A speed test that several programs run on the same weights.
struct PeerTest {
    enum Kind: String, CaseIterable {
        case prefill, decode
    }

    /// Who runs it, with which cache.
    struct Contender: Hashable, CustomStringConvertible {
        enum Program: String, CaseIterable {
            case kvlab
            case llamaCpp = "llama.cpp"
        }

        let program: Program
        /// A scheme here, a type of tensors there.
        let kv: String

        /// "llama.cpp q4_0"
        var description: String { "\(program.rawValue) \(kv)" }
    }

    /// A ratio that is aimed at: `of` ÷ `over` is at least `atLeast`.
    struct Target {
        let of: Contender
        let over: Contender
        let atLeast: Double
    }

    let shape: String
    let layers: Int
    let kind: Kind
    let tokens: Int
    /// Tokens in the cache before.
    let depth: Int
    /// How kvlab caches latent attention; nothing to other models.
    let mlaForm: String
    let contenders: [Contender]
    /// Those that take too long to run more than once.
    let once: Set<Contender>
    let targets: [Target]

    /// Tests of so many tokens take long enough to need no warming up.
    static let longTokens = 4096

    /// "prefill 512", "decode 32 at 16384"
    var name: String { "\(kind.rawValue) \(tokens)" + (depth > 0 ? " at \(depth)" : "") }
    /// "llama3.1-8b/1/decode 32 at 16384"
    var id: String { "\(shape)/\(layers)/\(name)" }

    /// Who runs in a pass, the first being 1.
    func contenders(inPass pass: Int) -> [Contender] { contenders.filter { pass == 1 || !once.contains($0) } }

    var bench: SpeedBench.Test {
        switch kind {
        case .prefill: .prompt(tokens: tokens, depth: depth)
        case .decode: .generate(tokens: tokens, depth: depth, batch: 1)
        }
    }
}

extension PeerTest {
    /// ```yaml
    /// - {shape: llama3.1-8b, layers: 1, kind: decode, tokens: 32, depth: 16384, kvlab: [affine-q4-g64], llama.cpp: [f16],
    ///    once: [llama.cpp f16], targets: [{of: kvlab affine-q4-g64, over: llama.cpp f16, at_least: 3}]}
    /// ```
    init(_ settings: Settings, laboratory: Laboratory) throws {
        shape = try settings.string("shape", oneOf: laboratory.shapeNames)
        layers = try settings.int("layers", in: 1...1000)
        kind = Kind(rawValue: try settings.string("kind", oneOf: Kind.allCases.map(\.rawValue)))!
        tokens = try settings.int("tokens", in: 1...1_000_000)
        depth = settings.has("depth") ? try settings.int("depth", in: 0...10_000_000) : 0
        mlaForm = settings.has("mla") ? try settings.string("mla", oneOf: ["expanded", "latent"]) : "expanded"
        var contenders: [Contender] = []
        for program in Contender.Program.allCases where settings.has(program.rawValue) {
            contenders += try settings.strings(program.rawValue).map { Contender(program: program, kv: $0) }
        }
        guard contenders.count > 1, Set(contenders).count == contenders.count else {
            throw settings.bad("shape", "has a test without two different contenders under kvlab and llama.cpp")
        }
        self.contenders = contenders
        let names = contenders.map(\.description)
        once = try settings.has("once")
            ? Set(settings.strings("once", oneOf: names).map { contenders[names.firstIndex(of: $0)!] }) : []
        targets = try settings.has("targets") ? settings.groups("targets").map { try Target($0, contenders) } : []
        try settings.finish()
        let limit = try laboratory.configuration(shape: shape).contextLimit
        guard bench.tokensAtTheEnd <= limit else {
            throw settings.bad("tokens", "and depth are more than the \(limit) that \(shape) takes")
        }
    }
}

extension PeerTest.Target {
    init(_ settings: Settings, _ contenders: [PeerTest.Contender]) throws {
        let names = contenders.map(\.description)
        func contender(_ key: String) throws -> PeerTest.Contender {
            let name = try settings.string(key, oneOf: names)
            return contenders[names.firstIndex(of: name)!]
        }
        of = try contender("of")
        over = try contender("over")
        atLeast = try settings.double("at_least", in: 0...1000)
        try settings.finish()
    }
}
