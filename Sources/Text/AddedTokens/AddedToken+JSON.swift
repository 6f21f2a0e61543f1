/// Collects the added tokens of `tokenizer.json` and of `tokenizer_config.json`.
struct AddedTokenReader {
    private static let flags = ["single_word", "lstrip", "rstrip", "normalized", "special"]

    private(set) var tokens: [AddedToken] = []
    private var indices: [[UInt8]: Int] = [:]
    private let vocabulary: Vocabulary
    /// The id of the next token that the vocabulary has not.
    private var next: Int

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        next = vocabulary.count
    }

    /// Adds the `added_tokens` of a `tokenizer.json`.
    ///
    /// Tokenizers ignore the ids in the file and give a token the id that the vocabulary has for it, or else the next
    /// free one; a file where the two differ is refused.
    mutating func read(_ field: JSONField) throws(TextError) {
        for item in try field.elements() {
            try item.onlyKeys(["id", "content"] + Self.flags)
            let id = try item.required("id")
            let content = try item.required("content").utf8()
            guard indices[content] == nil else { throw item.fail("is an added token that is listed twice") }
            try add(item, content: content, id: id.integer())
        }
    }

    /// Adds the `added_tokens_decoder` of a `tokenizer_config.json`. Its settings count where both files have a token,
    /// as in transformers, except that a special token stays special.
    mutating func override(_ field: JSONField) throws(TextError) {
        guard field.value.kind == .object else { throw field.fail("should be an object") }
        var items: [(id: Int, item: JSONField)] = []
        for (key, value) in field.value.members {
            let name = key.string ?? ""
            let item = JSONField(value, key: "\(field.key).\(name)")
            guard let id = Int(name) else { throw item.fail("should have an id as its key") }
            items.append((id, item))
        }
        for (id, item) in items.sorted(by: { $0.id < $1.id }) {
            try item.onlyKeys(["content", "__type"] + Self.flags)
            let content = try item.required("content").utf8()
            if let index = indices[content] {
                guard id == tokens[index].id else {
                    throw item.fail("has another id than in tokenizer.json, \(tokens[index].id)")
                }
                let isSpecial = tokens[index].isSpecial
                tokens[index] = try Self.token(item, content: content, id: tokens[index].id)
                if isSpecial { tokens[index].isSpecial = true }
            } else {
                try add(item, content: content, id: id)
            }
        }
    }

    /// Makes the tokens that a `tokenizer_config.json` names, such as `bos_token`, special added tokens, as transformers
    /// do. A token that `tokenizer.json` does not have is refused: no model could embed it.
    mutating func addNamed(_ root: JSONField) throws(TextError) {
        for name in Self.names {
            if let field = try root.optional(name) { try addNamed(one: field) }
        }
        for name in Self.lists {
            guard let list = try root.optional(name), list.value.kind == .array else { continue }
            for field in try list.elements() { try addNamed(one: field) }
        }
    }

    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]
    private static let lists = ["additional_special_tokens", "extra_special_tokens"]

    /// A token as its text or as an object with its `content` and settings.
    private mutating func addNamed(one field: JSONField) throws(TextError) {
        let isObject = field.value.kind == .object
        let content = try isObject ? field.required("content").utf8() : field.utf8()
        if let index = indices[content] {
            tokens[index].isSpecial = true
            return
        }
        let id = vocabulary.id(of: content)
        guard id >= 0 else {
            throw field.fail(
                "names the token '\(String(decoding: content, as: UTF8.self))', which is not in tokenizer.json")
        }
        var token = AddedToken(content: content, id: id)
        if isObject {
            token.isNormalized = try field.flag("normalized", default: false)
            token.stripsLeft = try field.flag("lstrip", default: false)
            token.stripsRight = try field.flag("rstrip", default: false)
            token.isSingleWord = try field.flag("single_word", default: false)
        }
        token.isSpecial = true
        indices[content] = tokens.count
        tokens.append(token)
    }

    private mutating func add(_ item: JSONField, content: [UInt8], id: Int) throws(TextError) {
        guard !content.isEmpty else { throw item.fail("is an added token without text") }
        let known = Int(vocabulary.id(of: content))
        guard id == (known >= 0 ? known : next), id < Vocabulary.idLimit else {
            let name = String(decoding: content, as: UTF8.self)
            throw item.fail("gives the added token '\(name)' the id \(id) instead of \(known >= 0 ? known : next)")
        }
        if known < 0 {
            guard vocabulary.text(of: id) == nil else {
                throw item.fail("gives an added token the id \(id), which the vocabulary has for another token")
            }
            next += 1
        }
        indices[content] = tokens.count
        tokens.append(try Self.token(item, content: content, id: Int32(id)))
    }

    private static func token(_ item: JSONField, content: [UInt8], id: Int32) throws(TextError) -> AddedToken {
        AddedToken(
            content: content, id: id,
            isSpecial: try item.required("special").boolean(),
            isNormalized: try item.required("normalized").boolean(),
            stripsLeft: try item.required("lstrip").boolean(),
            stripsRight: try item.required("rstrip").boolean(),
            isSingleWord: try item.required("single_word").boolean())
    }
}
