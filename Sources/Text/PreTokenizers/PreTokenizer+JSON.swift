/// Reads the `pre_tokenizer` of a `tokenizer.json` as the list of its steps.
struct PreTokenizerReader {
    static let supported = ["Sequence", "Split", "ByteLevel", "Digits", "Punctuation", "Metaspace"]

    private(set) var steps: [any PreTokenizer] = []
    /// Whether the model's alphabet is the bytes: a `ByteLevel` step was read.
    private(set) var isByteLevel = false

    init() {}

    mutating func read(_ field: JSONField) throws(TextError) {
        let type = try field.required("type").string()
        guard Self.supported.contains(type) else {
            throw field.unsupported("type '\(type)'", supported: Self.supported)
        }
        guard !isByteLevel else {
            throw field.unsupported("type '\(type)' after 'ByteLevel'", supported: ["'ByteLevel' as the last step"])
        }
        switch type {
        case "Sequence":
            try field.onlyKeys(["type", "pretokenizers"])
            for step in try field.required("pretokenizers").elements() { try read(step) }
        case "Split":
            steps.append(try Self.split(field))
        case "Digits":
            try field.onlyKeys(["type", "individual_digits"])
            let single = try field.required("individual_digits").boolean()
            steps.append(
                SplitPreTokenizer(pattern: PredicatePattern.numeric, behavior: single ? .isolated : .contiguous))
        case "Punctuation":
            try field.onlyKeys(["type", "behavior"])
            let behavior = try field.optional("behavior").map { field throws(TextError) in try Self.behavior(field) }
            steps.append(SplitPreTokenizer(pattern: PredicatePattern.punctuation, behavior: behavior ?? .isolated))
        case "Metaspace":
            steps.append(try Self.metaspace(field))
        default:
            // `trim_offsets` is about offsets, which ids do not have.
            try field.onlyKeys(["type", "add_prefix_space", "trim_offsets", "use_regex"])
            steps.append(
                ByteLevelPreTokenizer(
                    addsPrefixSpace: try field.required("add_prefix_space").boolean(),
                    usesPattern: try field.flag("use_regex", default: true)))
            isByteLevel = true
        }
    }

    private static func split(_ field: JSONField) throws(TextError) -> SplitPreTokenizer {
        try field.onlyKeys(["type", "pattern", "behavior", "invert"])
        return SplitPreTokenizer(
            pattern: try pattern(field.required("pattern")),
            behavior: try behavior(field.required("behavior")),
            isInverted: try field.required("invert").boolean())
    }

    private static func pattern(_ field: JSONField) throws(TextError) -> any SplitPattern {
        if let literal = try field.optional("String") {
            let text = try literal.utf8()
            guard !text.isEmpty else { throw literal.fail("is an empty pattern, which would match everywhere") }
            return LiteralPattern(literal: text)
        }
        let regex = try field.required("Regex")
        let text = try regex.string()
        guard let pattern = KnownPatterns.pattern(text) else {
            throw regex.unsupported("'\(text)'", supported: KnownPatterns.supported)
        }
        return pattern
    }

    private static func behavior(_ field: JSONField) throws(TextError) -> SplitBehavior {
        let text = try field.string()
        guard let behavior = SplitBehavior(rawValue: text) else {
            throw field.unsupported("'\(text)'", supported: SplitBehavior.allCases.map(\.rawValue))
        }
        return behavior
    }

    private static func metaspace(_ field: JSONField) throws(TextError) -> MetaspacePreTokenizer {
        let settings = try MetaspaceSettings(field)
        return MetaspacePreTokenizer(
            replacement: settings.replacement, prependScheme: settings.prependScheme, splits: settings.splits)
    }
}

/// What the pre-tokenizer and the decoder named Metaspace have in common.
struct MetaspaceSettings {
    let replacement: [UInt8]
    let prependScheme: MetaspacePreTokenizer.PrependScheme
    let splits: Bool

    init(_ field: JSONField) throws(TextError) {
        try field.onlyKeys(["type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"])
        let text = try field.required("replacement")
        replacement = try text.utf8()
        guard String(decoding: replacement, as: UTF8.self).unicodeScalars.count == 1 else {
            throw text.fail("should be one character")
        }
        splits = try field.flag("split", default: true)
        let schemes = MetaspacePreTokenizer.PrependScheme.self
        var scheme = schemes.always
        if let named = try field.optional("prepend_scheme") {
            let name = try named.string()
            guard let known = schemes.init(rawValue: name) else {
                throw named.unsupported("'\(name)'", supported: schemes.allCases.map(\.rawValue))
            }
            scheme = known
        }
        if let old = try field.optional("add_prefix_space"), try !old.boolean() {
            guard scheme == .never else { throw old.fail("contradicts the prepend_scheme '\(scheme.rawValue)'") }
        }
        prependScheme = scheme
    }
}
