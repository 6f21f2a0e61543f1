/// Reads the `decoder` of a `tokenizer.json` as the list of its stages.
struct DecoderReader {
    static let supported = [
        "Sequence", "ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace",
    ]

    private(set) var stages: [any DecoderStage] = []
    /// Whether a stage that was read makes one text of all tokens, after which only `Fuse` and `Strip` have a meaning
    /// that does not depend on where the text is cut.
    private var isJoined = false

    init() {}

    mutating func read(_ field: JSONField) throws(TextError) {
        let type = try field.required("type").string()
        guard Self.supported.contains(type) else {
            throw field.unsupported("type '\(type)'", supported: Self.supported)
        }
        if isJoined, type != "Fuse", type != "Strip" {
            throw field.unsupported("type '\(type)' after 'Fuse' or 'ByteLevel'", supported: ["Fuse", "Strip"])
        }
        switch type {
        case "Sequence":
            try field.onlyKeys(["type", "decoders"])
            for step in try field.required("decoders").elements() { try read(step) }
        case "ByteLevel":
            // None of the three settings changes what is decoded.
            try field.onlyKeys(["type", "add_prefix_space", "trim_offsets", "use_regex"])
            stages.append(ByteLevelStage())
            isJoined = true
        case "Replace":
            stages.append(ReplaceStage(replace: try NormalizerReader.replace(field)))
        case "ByteFallback":
            try field.onlyKeys(["type"])
            stages.append(ByteFallbackStage())
        case "Fuse":
            try field.onlyKeys(["type"])
            isJoined = true
        case "Strip":
            stages.append(try strip(field))
        default:
            let settings = try MetaspaceSettings(field)
            stages.append(
                MetaspaceStage(replacement: settings.replacement, prependScheme: settings.prependScheme))
        }
    }

    private func strip(_ field: JSONField) throws(TextError) -> StripStage {
        try field.onlyKeys(["type", "content", "start", "stop"])
        let content = try field.required("content")
        let text = try content.utf8()
        guard String(decoding: text, as: UTF8.self).unicodeScalars.count == 1 else {
            throw content.fail("should be one character")
        }
        return StripStage(
            content: text, start: try count(field, "start"), stop: try count(field, "stop"), isJoined: isJoined)
    }

    private func count(_ field: JSONField, _ name: String) throws(TextError) -> Int {
        let member = try field.required(name)
        let count = try member.integer()
        guard (0...1024).contains(count) else { throw member.fail("should be between 0 and 1024") }
        return count
    }
}
