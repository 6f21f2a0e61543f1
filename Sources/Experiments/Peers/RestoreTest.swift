import Models

/// A context that several programs compute, save and restore on the same weights.
struct RestoreTest {
    let shape: String
    let layers: Int
    let context: Int
    let contenders: [RestoreContender]

    /// "llama3.2-1b/4/1024"
    var id: String { "\(shape)/\(layers)/\(context)" }
}

extension RestoreTest {
    /// One test for each context.
    /// ```yaml
    /// - {shape: llama3.2-1b, layers: 4, contexts: [1024, 4096], kvlab: [affine-q4-g64], llama.cpp: [f16, q4_0]}
    /// ```
    static func tests(_ settings: Settings, newTokens: Int, laboratory: Laboratory) throws -> [RestoreTest] {
        let shape = try settings.string("shape", oneOf: laboratory.shapeNames)
        let layers = try settings.int("layers", in: 1...1000)
        let contexts = try settings.ints("contexts", in: 64...10_000_000)
        var contenders: [RestoreContender] = []
        for program in RestoreProgram.allCases where settings.has(program.rawValue) {
            contenders += try settings.strings(program.rawValue).map { RestoreContender(program: program, kv: $0) }
        }
        guard contenders.count > 1, Set(contenders).count == contenders.count else {
            let names = RestoreProgram.allCases.map(\.rawValue).joined(separator: ", ")
            throw settings.bad("shape", "has a test without two different contenders under \(names)")
        }
        try settings.finish()
        let limit = try laboratory.configuration(shape: shape).contextLimit
        if let context = contexts.first(where: { $0 + newTokens > limit }) {
            throw settings.bad(
                "contexts",
                "holds \(context), which with \(newTokens) new tokens is more than the \(limit) that \(shape) takes")
        }
        return contexts.map { RestoreTest(shape: shape, layers: layers, context: $0, contenders: contenders) }
    }
}
