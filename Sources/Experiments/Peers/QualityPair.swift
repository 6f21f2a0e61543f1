import Tensors

/// A cache of kvlab, and the cache of llama.cpp that stores the same, if there is one.
struct QualityPair: Equatable {
    struct Peer: Equatable, CustomStringConvertible {
        /// As `-ctk` takes it.
        let kv: String
        /// Does it rotate keys and values first?
        let rotates: Bool

        /// "llama.cpp q8_0, rotated"
        var description: String { "llama.cpp \(kv)\(rotates ? ", rotated" : "")" }

        /// - Precondition: `kv` is one of ``QualityPair/types``.
        var type: GGMLType { GGMLType.allCases.first { String(describing: $0) == kv }! }
    }

    /// A scheme's expression.
    let kvlab: String
    let peer: Peer?

    /// Types of keys and values that llama.cpp has.
    static let types = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"]
}

extension QualityPair {
    /// ```yaml
    /// - {kvlab: hadamard-64(queries-q8_0(q8_0)), llama.cpp: q8_0, rotated: yes}
    /// - {kvlab: affine-q4-g64}
    /// ```
    init(_ settings: Settings) throws {
        kvlab = try settings.string("kvlab")
        peer =
            settings.has("llama.cpp")
            ? Peer(
                kv: try settings.string("llama.cpp", oneOf: Self.types),
                rotates: try settings.string("rotated", oneOf: ["yes", "no"]) == "yes") : nil
        try settings.finish()
    }
}
