/// Turns the parts of a ``Tokenizer`` that came from a `tokenizer.json` into ``GGUFTokenizerMetadata``; what the format cannot
/// say is refused.
struct GGUFTokenizerWriter {
    let tokenizer: Tokenizer
    /// The `tokenizer.json`.
    let root: JSONField

    func refuse(_ what: String, supported: [String]) -> TextError {
        .unsupported(file: tokenizer.name, what: what + " in a GGUF file", supported: supported)
    }

    // MARK: Tokens

    private var ids: Range<Int32> { 0..<Int32(tokenizer.vocabularySize) }

    var tokens: [String] { ids.map { tokenizer.token($0) ?? "[PAD\($0)]" } }

    var types: [GGUFTokenizerMetadata.TokenType] {
        let hasBytes = tokenizer.model.alphabet == .scalars
        return ids.map { id in
            if id == tokenizer.model.unknownID { return .unknown }
            if let added = tokenizer.addedTokens.token(id) { return added.isSpecial ? .control : .userDefined }
            guard let text = tokenizer.model.vocabulary.text(of: Int(id)) else { return .unused }
            return hasBytes && ByteToken.byte(text) != nil ? .byte : .normal
        }
    }

    /// Added tokens that take white space with them, or are looked for in the normalized text.
    func checkAddedTokens() throws(TextError) {
        for token in tokenizer.addedTokens.tokens {
            let name = String(decoding: token.content, as: UTF8.self)
            guard !token.stripsLeft, !token.stripsRight, !token.isSingleWord else {
                throw refuse("the added token '\(name)' with lstrip, rstrip or single_word", supported: ["others"])
            }
            guard tokenizer.addedTokens.decodedText(token) == token.content else {
                throw refuse("the added token '\(name)', which is looked for in normalized text", supported: ["others"])
            }
        }
    }

    /// What stands before and after every text.
    func additions() throws(TextError) -> (bos: Bool, eos: Bool) {
        let (prefix, suffix) = (tokenizer.template.prefix, tokenizer.template.suffix)
        let special = tokenizer.specialTokens
        guard prefix.isEmpty || prefix == special.bos.map({ [$0.id] }), suffix.isEmpty || suffix == special.eos.map({ [$0.id] })
        else {
            throw refuse("a post_processor that adds other tokens", supported: ["bos_token before and eos_token after a text"])
        }
        return (!prefix.isEmpty, !suffix.isEmpty)
    }

    /// The merges in their order, by the texts of the two sides.
    func merges() throws(TextError) -> [(left: String, right: String)] {
        var merges: [(left: String, right: String)] = []
        for item in try root.required("model").required("merges").elements() {
            if let text = item.value.string {
                // As when the file is read: a line that is no merge.
                if text.hasPrefix("#version") { continue }
                let sides = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                merges.append((String(decoding: sides[0], as: UTF8.self), String(decoding: sides[1], as: UTF8.self)))
            } else {
                let sides = try item.elements()
                merges.append((try sides[0].string(), try sides[1].string()))
            }
        }
        return merges
    }

    // MARK: Byte-level models

    /// The pre-tokenizer by the name that llama.cpp has for it.
    func pre() throws(TextError) -> String {
        if tokenizer.normalizer.map({ !$0.changesNothing }) ?? false {
            throw refuse("a normalizer of a byte-level model", supported: ["none"])
        }
        var texts: [String]? = []
        if let field = try root.optional("pre_tokenizer") { texts = try patterns(field) }
        guard let texts, let (name, isDigitwise) = GGUFPreTokenizer.named(texts) else {
            throw refuse("this pre_tokenizer", supported: GGUFPreTokenizer.supported)
        }
        guard !isDigitwise || !GGUFPreTokenizer.joinsNumbers(tokenizer.model.vocabulary) else {
            throw refuse(
                "a pre_tokenizer that cuts between digits, with tokens of several,", supported: GGUFPreTokenizer.supported)
        }
        guard tokenizer.model.ignoresMerges == GGUFPreTokenizer.isLlama3(name) else {
            throw refuse(
                "ignore_merges \(tokenizer.model.ignoresMerges) with the pre_tokenizer '\(name)'",
                supported: ["\(!tokenizer.model.ignoresMerges)"])
        }
        return name
    }

    /// The patterns at whose matches a pre-tokenizer cuts, one after another; nil where it does something else.
    private func patterns(_ field: JSONField) throws(TextError) -> [String]? {
        switch try field.required("type").string() {
        case "Sequence":
            var all: [String] = []
            for step in try field.required("pretokenizers").elements() {
                guard let texts = try patterns(step) else { return nil }
                all += texts
            }
            return all
        case "Split":
            guard try field.required("behavior").string() == SplitBehavior.isolated.rawValue,
                try !field.required("invert").boolean(), let text = try field.required("pattern").optional("Regex")
            else { return nil }
            // Some files have the line ends themselves.
            return [try text.string().replacing("\r\n", with: #"\r\n"#)]
        case "Digits": return try field.required("individual_digits").boolean() ? [GGUFPreTokenizer.digit] : nil
        case "ByteLevel":
            guard try !field.required("add_prefix_space").boolean() else { return nil }
            return try field.flag("use_regex", default: true) ? [GPT2Pattern.text] : []
        default: return nil
        }
    }

    // MARK: Models with byte fallback

    private static let mark = "▁"

    /// Whether a text gets a space before it; and that spaces become "▁", and nothing else changes.
    func addsSpacePrefix() throws(TextError) -> Bool {
        let supported = ["spaces written '▁', with one before a text or without"]
        let steps = (tokenizer.normalizer as? SequenceNormalizer)?.steps ?? [tokenizer.normalizer].compactMap(\.self)
        let space = [UInt8(ascii: " ")]
        guard let replace = steps.last as? ReplaceNormalizer, replace.pattern.literal == space,
            replace.content == Array(Self.mark.utf8), steps.count <= 2,
            steps.count == 1 || (steps[0] as? PrependNormalizer)?.prefix == Array(Self.mark.utf8)
        else { throw refuse("this normalizer of a model with byte fallback", supported: supported) }
        // Gemma's cuts at spaces, of which none is left.
        let cuts = tokenizer.preTokenizers.contains { step in
            ((step as? SplitPreTokenizer)?.pattern as? LiteralPattern)?.literal != space
        }
        guard !cuts else { throw refuse("a pre_tokenizer of a model with byte fallback", supported: supported) }
        let fields = try root.required("model")
        guard try fields.flag("byte_fallback", default: false), try fields.flag("fuse_unk", default: false) else {
            throw refuse("a model without byte_fallback and fuse_unk", supported: ["both"])
        }
        return steps.count == 2
    }

    /// The place of a token's merges among those of all tokens, from −1 down; tokens that no merge makes come last.
    func scores() throws(TextError) -> [Float] {
        var scores = [Float](repeating: .nan, count: tokenizer.vocabularySize)
        var last: Int32 = -1
        var place = 0
        for merge in try merges() {
            let id = tokenizer.model.vocabulary.id(of: Array((merge.left + merge.right).utf8))
            if id == last { continue }
            guard scores[Int(id)].isNaN else {
                throw refuse(
                    "the token '\(merge.left + merge.right)', whose merges do not follow each other,",
                    supported: ["merges in the order of SentencePiece's scores"])
            }
            place += 1
            scores[Int(id)] = Float(-place)
            last = id
        }
        return scores.map { $0.isNaN ? Float(-place - 1) : $0 }
    }

    /// Scores join every two neighbours that make a token together; so must the merges.
    func checkScores(_ metadata: GGUFTokenizerMetadata) throws(TextError) {
        let reader = GGUFTokenizerReader(metadata)
        let scored = try reader.scoredMerges(reader.vocabulary())
        let own = tokenizer.model.merges
        guard scored.count == own.count, own.pairs.allSatisfy({ scored.lookup($0.left, $0.right) != MergeTable.none }) else {
            throw refuse(
                "a model that does not join every two tokens that make one together",
                supported: ["merges as SentencePiece has them"])
        }
    }
}

extension Normalizer {
    /// A list of no steps.
    var changesNothing: Bool { (self as? SequenceNormalizer)?.steps.isEmpty ?? false }
}
