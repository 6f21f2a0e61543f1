/// Reads the `post_processor` of a `tokenizer.json`: what stands around a single text.
enum PostProcessorReader {
    static let supported = ["TemplateProcessing", "ByteLevel", "Sequence"]

    static func read(
        _ field: JSONField, into template: inout SequenceTemplate, name: (Int32) -> String?
    ) throws(TextError) {
        let type = try field.required("type").string()
        switch type {
        case "ByteLevel":
            // Moves offsets only; ids stay as they are.
            try field.onlyKeys(["type", "add_prefix_space", "trim_offsets", "use_regex"])
        case "Sequence":
            try field.onlyKeys(["type", "processors"])
            for step in try field.required("processors").elements() { try read(step, into: &template, name: name) }
        case "TemplateProcessing":
            // `pair` is about two texts in one sequence, which is not offered here.
            try field.onlyKeys(["type", "single", "pair", "special_tokens"])
            let added = try single(field, name: name)
            template.prefix = added.prefix + template.prefix
            template.suffix += added.suffix
        default:
            throw field.unsupported("type '\(type)'", supported: supported)
        }
    }

    private static func single(_ field: JSONField, name: (Int32) -> String?) throws(TextError) -> SequenceTemplate {
        let single = try field.required("single")
        var template = SequenceTemplate()
        var hasText = false
        for piece in try single.elements() {
            try piece.onlyKeys(["Sequence", "SpecialToken"])
            if let sequence = try piece.optional("Sequence") {
                let id = try sequence.required("id")
                guard try id.string() == "A", !hasText else {
                    throw id.unsupported("other than one 'A'", supported: ["one 'A'"])
                }
                hasText = true
            } else {
                let id = try piece.required("SpecialToken").required("id")
                let ids = try specialIDs(field.required("special_tokens"), id, name: name)
                if hasText { template.suffix += ids } else { template.prefix += ids }
            }
        }
        guard hasText else { throw single.fail("has no 'Sequence'") }
        return template
    }

    private static func specialIDs(
        _ tokens: JSONField, _ id: JSONField, name: (Int32) -> String?
    ) throws(TextError) -> [Int32] {
        let text = try id.string()
        guard let token = try tokens.optional(text) else { throw id.fail("'\(text)' is not in special_tokens") }
        var ids: [Int32] = []
        for item in try token.required("ids").elements() {
            guard let value = Int32(exactly: try item.integer()), name(value) != nil else {
                throw item.fail("is not the id of a token")
            }
            ids.append(value)
        }
        return ids
    }
}
