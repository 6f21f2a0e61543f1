import Foundation

/// What a `config.json` says of rotary positions, in the spelling of transformers 4 (`rope_theta`, `rope_scaling` with
/// `type` or `rope_type`) or 5 (`rope_parameters`).
/// - Source: transformers `modeling_rope_utils.py`, `RotaryEmbeddingConfigMixin`.
struct RotaryParameters {
    /// One of ``supported``.
    let type: String
    let base: Double
    /// Where `factor` and the like are.
    let object: ConfigurationFile
    /// `max_position_embeddings`
    let contextLimit: Int
    /// The context before scaling, if it is given outside `object`.
    let outerOriginalLimit: Int?
    /// Are the ends of YaRN's ramp whole pairs?
    let truncate: Bool

    /// Scaling types that are supported.
    static let supported = ["default", "linear", "llama3", "yarn"]

    /// One kind of positions for all layers.
    init(_ file: ConfigurationFile, contextLimit: Int, defaultBase: Double) throws {
        let scaling = try file.object("rope_scaling").flatMap { $0.isEmpty ? nil : $0 }
        let object = try scaling ?? file.object("rope_parameters") ?? file.nothing(under: "rope_parameters")
        try file.require("partial_rotary_factor", equals: 1)
        try self.init(
            object, of: file, baseKey: "rope_theta", defaultBase: defaultBase, contextLimit: contextLimit,
            outerOriginalLimit: file.has("original_max_position_embeddings")
                ? file.int("original_max_position_embeddings") : nil,
            truncate: object.bool("truncate", default: true))
    }

    /// - Parameter baseKey: where `file` says the base, if the object does not.
    init(
        _ object: ConfigurationFile, of file: ConfigurationFile, baseKey: String, defaultBase: Double, contextLimit: Int,
        outerOriginalLimit: Int? = nil, truncate: Bool
    ) throws {
        type = try object.require(object.has("rope_type") ? "rope_type" : "type", oneOf: Self.supported, default: "default")
        let (place, key) = object.has("rope_theta") ? (object, "rope_theta") : (file, baseKey)
        base = try place.double(key, default: defaultBase)
        guard base > 1 else { throw place.bad(key, "must be larger than 1") }
        try object.require("partial_rotary_factor", equals: 1)
        self.object = object
        self.contextLimit = contextLimit
        self.outerOriginalLimit = outerOriginalLimit
        self.truncate = truncate
    }

    /// How much longer the context has become.
    func factor() throws -> Double {
        let factor = try object.double("factor")
        guard factor > 0 else { throw object.bad("factor", "must be positive") }
        return factor
    }

    /// The context before scaling.
    func originalContextLimit() throws -> Double {
        try Double(outerOriginalLimit ?? object.int("original_max_position_embeddings", default: contextLimit))
    }

    /// A factor of null is the ratio of the two contexts.
    func yarnFactor() throws -> Double {
        object.isNull("factor") ? Double(contextLimit) / (try originalContextLimit()) : try factor()
    }

    /// YaRN's factor on cosines and sines.
    func yarnAttentionFactor() throws -> Double {
        if object.has("attention_factor") { return try object.double("attention_factor") }
        let factor = try yarnFactor()
        let numerator = try object.double("mscale", default: 0)
        let denominator = try object.double("mscale_all_dim", default: 0)
        guard numerator != 0, denominator != 0 else { return Self.magnitude(factor, 1) }
        return Self.magnitude(factor, numerator) / Self.magnitude(factor, denominator)
    }

    /// 0.1 · m · ln(factor) + 1, or 1 where nothing is stretched.
    static func magnitude(_ factor: Double, _ m: Double) -> Double {
        factor <= 1 ? 1 : 0.1 * m * log(factor) + 1
    }
}
