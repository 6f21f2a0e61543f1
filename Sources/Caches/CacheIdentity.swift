/// What a saved cache and those who use it must agree on, besides the layout.
public struct CacheIdentity: Sendable, Equatable {
    /// The model's name. It is recorded for people and not compared: a folder may be renamed.
    public var model: String
    /// Fingerprint of configuration and weights.
    public var weights: String
    /// Fingerprint of the tokenizer, or "none" where token ids come from elsewhere.
    public var tokenizer: String
    /// Fingerprint of the rotary positions that keys were turned by.
    public var rope: String

    public init(model: String, weights: String, tokenizer: String = "none", rope: String) {
        self.model = model
        self.weights = weights
        self.tokenizer = tokenizer
        self.rope = rope
    }

    /// - Throws: ``CachesError/mismatch(file:what:expected:found:)`` for the first thing that differs, the most
    ///   telling ones first: other rotary positions are other weights too.
    func check(_ found: CacheIdentity, file: String) throws {
        for (what, expected, found) in [
            ("tokenizer", tokenizer, found.tokenizer), ("RoPE", rope, found.rope), ("weights", weights, found.weights),
        ] where expected != found {
            throw CachesError.mismatch(file: file, what: what, expected: expected, found: found)
        }
    }
}

extension CacheLayout {
    /// - Throws: ``CachesError/mismatch(file:what:expected:found:)`` for the first thing that differs from `found`.
    func check(_ found: CacheLayout, file: String) throws {
        for (what, expected, found) in [
            ("scheme", scheme.description, found.scheme.description),
            ("window policy", windowPolicy.rawValue, found.windowPolicy.rawValue),
            ("MLA form", spec.mlaForm.rawValue, found.spec.mlaForm.rawValue),
            ("layers", "\(spec.layers.count)", "\(found.spec.layers.count)"),
        ] where expected != found {
            throw CachesError.mismatch(file: file, what: what, expected: expected, found: found)
        }
        for (index, (expected, found)) in zip(spec.layers, found.spec.layers).enumerated() where expected != found {
            throw CachesError.mismatch(file: file, what: "layer \(index)", expected: "\(expected)", found: "\(found)")
        }
    }
}
