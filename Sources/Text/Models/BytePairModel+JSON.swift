/// Reads the `model` of a `tokenizer.json`.
enum BytePairModelReader {
    private static let keys = [
        "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
        "byte_fallback", "ignore_merges", "vocab", "merges",
    ]

    static func read(_ field: JSONField, isByteLevel: Bool) throws(TextError) -> BytePairModel {
        if let type = try field.optional("type") {
            let name = try type.string()
            guard name == "BPE" else { throw type.unsupported("'\(name)'", supported: ["BPE"]) }
        }
        try field.onlyKeys(keys)
        try refuseOptions(field)

        let vocabulary = try vocabulary(field.required("vocab"))
        let fallsBackToBytes = try field.flag("byte_fallback", default: false)
        if isByteLevel, fallsBackToBytes {
            throw field.unsupported(
                "byte_fallback with a ByteLevel pre_tokenizer", supported: ["byte_fallback without it"])
        }
        return try BytePairModel(
            vocabulary: vocabulary,
            merges: MergeReader(vocabulary).read(field.required("merges")),
            alphabet: isByteLevel ? .bytes : .scalars,
            unknownID: unknownID(field, vocabulary),
            fusesUnknown: field.flag("fuse_unk", default: false),
            ignoresMerges: field.flag("ignore_merges", default: false),
            fallsBackToBytes: fallsBackToBytes,
            file: field.value.document.file)
    }

    /// Options that would change ids: each must be absent, null or without effect. Others are refused.
    private static func refuseOptions(_ field: JSONField) throws(TextError) {
        if let dropout = try field.optional("dropout"), dropout.value.number != 0 {
            throw dropout.unsupported("other than null", supported: ["null"])
        }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let option = try field.optional(name), try !option.utf8().isEmpty {
                throw option.unsupported("other than null", supported: ["null"])
            }
        }
    }

    private static func unknownID(_ field: JSONField, _ vocabulary: Vocabulary) throws(TextError) -> Int32? {
        guard let unknown = try field.optional("unk_token") else { return nil }
        let id = vocabulary.id(of: try unknown.utf8())
        return id >= 0 ? id : nil
    }

    private static func vocabulary(_ field: JSONField) throws(TextError) -> Vocabulary {
        guard field.value.kind == .object else { throw field.fail("should be an object") }
        var vocabulary = Vocabulary(capacity: field.value.count)
        for (key, value) in field.value.members {
            guard let id = value.integer else {
                throw JSONField(value, key: field.key).fail("should have whole numbers as ids")
            }
            guard let problem = key.withText({ vocabulary.insert($0, id: id) }) ?? nil else { continue }
            let place = JSONField(key, key: field.key)
            switch problem {
            case .textTwice: throw place.fail("has the token '\(key.string ?? "")' twice")
            case .idTwice(let id): throw place.fail("has the id \(id) twice")
            case .idOutOfRange: throw place.fail("has the id \(id), which is not below \(Vocabulary.idLimit)")
            }
        }
        return vocabulary
    }
}

/// Reads `merges` in both forms, "a b" and ["a", "b"], which a file may not mix.
private struct MergeReader {
    let vocabulary: Vocabulary

    init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

    func read(_ field: JSONField) throws(TextError) -> MergeTable {
        guard field.value.kind == .array else { throw field.fail("should be an array") }
        var table = MergeTable(capacity: field.value.count)
        var rank: UInt32 = 0
        let form = field.value.elements.first { _ in true }?.kind
        var joined: [UInt8] = []
        for item in field.value.elements {
            guard item.kind == form else { throw place(item, field, rank).fail("mixes two forms of merges") }
            // Tokenizers skip such a line in a list of strings, without counting it.
            if item.withText({ $0.starts(with: "#version".utf8) }) ?? false { continue }
            let (left, right) = try pair(item, field, rank, &joined)
            let id = vocabulary.id(of: joined)
            guard id >= 0 else {
                let name = String(decoding: joined, as: UTF8.self)
                throw place(item, field, rank).fail("makes '\(name)', which is not in the vocabulary")
            }
            table.insert(left, right, rank: rank, id: id)
            rank += 1
        }
        return table
    }

    /// The ids of the two sides of a merge; `joined` becomes their text together.
    private func pair(
        _ item: JSONValue, _ field: JSONField, _ rank: UInt32, _ joined: inout [UInt8]
    ) throws(TextError) -> (Int32, Int32) {
        joined.removeAll(keepingCapacity: true)
        var ids: (Int32, Int32) = (-1, -1)
        if item.kind == .string {
            let isPair: Bool? = item.withText { text in
                guard let space = text.firstIndex(of: 0x20), !text[(space + 1)...].contains(0x20) else { return false }
                ids.0 = vocabulary.id(of: UTF8Text(rebasing: text[..<space]))
                ids.1 = vocabulary.id(of: UTF8Text(rebasing: text[(space + 1)...]))
                joined.append(contentsOf: text[..<space])
                joined.append(contentsOf: text[(space + 1)...])
                return true
            }
            guard isPair == true else {
                throw place(item, field, rank).fail("is not two tokens with one space between")
            }
        } else {
            var sides: [Int32] = []
            for side in item.elements {
                side.withText { text in
                    sides.append(vocabulary.id(of: text))
                    joined.append(contentsOf: text)
                }
            }
            guard item.count == 2, sides.count == 2 else {
                throw place(item, field, rank).fail("is not a list of two tokens")
            }
            ids = (sides[0], sides[1])
        }
        guard ids.0 >= 0, ids.1 >= 0 else {
            throw place(item, field, rank).fail("joins a token that is not in the vocabulary")
        }
        return ids
    }

    private func place(_ item: JSONValue, _ field: JSONField, _ rank: UInt32) -> JSONField {
        JSONField(item, key: "\(field.key)[\(rank)]")
    }
}
