/// Reads the `normalizer` of a `tokenizer.json`.
enum NormalizerReader {
    static let supported = ["Sequence", "Replace", "Prepend"] + UnicodeNormalizer.Form.allCases.map(\.rawValue)

    static func read(_ field: JSONField) throws(TextError) -> any Normalizer {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            try field.onlyKeys(["type", "normalizers"])
            var steps: [any Normalizer] = []
            for step in try field.required("normalizers").elements() { steps.append(try read(step)) }
            return SequenceNormalizer(steps: steps)
        case "Replace":
            return try replace(field)
        case "Prepend":
            try field.onlyKeys(["type", "prepend"])
            return PrependNormalizer(prefix: try field.required("prepend").utf8())
        default:
            guard let form = UnicodeNormalizer.Form(rawValue: type) else {
                throw field.unsupported("type '\(type)'", supported: supported)
            }
            try field.onlyKeys(["type"])
            return UnicodeNormalizer(form: form)
        }
    }

    /// Also the form of the decoder of the same name.
    static func replace(_ field: JSONField) throws(TextError) -> ReplaceNormalizer {
        try field.onlyKeys(["type", "pattern", "content"])
        let pattern = try field.required("pattern")
        guard let literal = try pattern.optional("String") else {
            throw pattern.unsupported("other than a 'String'", supported: ["String"])
        }
        let text = try literal.utf8()
        guard !text.isEmpty else { throw literal.fail("is an empty pattern, which would match everywhere") }
        return ReplaceNormalizer(pattern: LiteralPattern(literal: text), content: try field.required("content").utf8())
    }
}
