/// Turns ``GGUFTokenizerMetadata`` into the parts of a ``Tokenizer``, checking that they fit together.
struct GGUFTokenizerReader {
    let metadata: GGUFTokenizerMetadata

    init(_ metadata: GGUFTokenizerMetadata) { self.metadata = metadata }

    func fail(_ problem: String) -> TextError { .inconsistent(file: metadata.file, problem: problem) }

    func vocabulary() throws(TextError) -> Vocabulary {
        let tokens = metadata.tokens
        guard !tokens.isEmpty else { throw fail("tokenizer.ggml.tokens is empty") }
        guard metadata.types.isEmpty || metadata.types.count == tokens.count else {
            throw fail(
                "tokenizer.ggml.token_type has \(metadata.types.count) entries for \(tokens.count) tokens")
        }
        var vocabulary = Vocabulary(capacity: tokens.count)
        for (id, token) in tokens.enumerated() {
            var text = token
            switch text.withUTF8({ vocabulary.insert($0, id: id) }) {
            case nil: continue
            case .idOutOfRange: throw fail("tokenizer.ggml.tokens has more than \(Vocabulary.idLimit) tokens")
            case .textTwice, .idTwice: throw fail("tokenizer.ggml.tokens has '\(token)' twice, the second as \(id)")
            }
        }
        return vocabulary
    }

    func type(_ id: Int) -> GGUFTokenizerMetadata.TokenType { metadata.types.isEmpty ? .normal : metadata.types[id] }

    func id(_ id: Int?, _ key: String) throws(TextError) -> Int32? {
        guard let id else { return nil }
        guard metadata.tokens.indices.contains(id) else {
            throw fail("tokenizer.ggml.\(key) is \(id), but there are \(metadata.tokens.count) tokens")
        }
        return Int32(id)
    }

    func merges(_ vocabulary: Vocabulary) throws(TextError) -> MergeTable {
        var table = MergeTable(capacity: metadata.merges.count)
        for (rank, merge) in metadata.merges.enumerated() {
            let sides = merge.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
            guard sides.count == 2 else {
                throw fail("tokenizer.ggml.merges[\(rank)] '\(merge)' is not two tokens with one space between")
            }
            let ids = [sides[0], sides[1], sides[0] + sides[1]].map(vocabulary.id(of:))
            guard !ids.contains(-1) else {
                throw fail("tokenizer.ggml.merges[\(rank)] '\(merge)' joins or makes a token that is not there")
            }
            table.insert(ids[0], ids[1], rank: UInt32(rank), id: ids[2])
        }
        return table
    }

    func addedTokens() throws(TextError) -> AddedTokens {
        var added: [AddedToken] = []
        for (id, token) in metadata.tokens.enumerated() {
            let type = type(id)
            guard type == .control || type == .userDefined, !token.isEmpty else { continue }
            added.append(AddedToken(content: Array(token.utf8), id: Int32(id), isSpecial: type == .control))
        }
        return try AddedTokens(added, normalizer: nil, file: metadata.file)
    }

    func specialTokens() throws(TextError) -> SpecialTokens {
        let bos = try named(metadata.bosID, "bos_token_id")
        let eos = try named(metadata.eosID, "eos_token_id")
        var stopIDs: Set<Int32> = []
        if let eos { stopIDs.insert(eos.id) }
        for id in metadata.endIDs {
            if let id = try self.id(id, "eot_token_id or eom_token_id") { stopIDs.insert(id) }
        }
        return SpecialTokens(bos: bos, eos: eos, stopIDs: stopIDs.sorted())
    }

    private func named(_ id: Int?, _ key: String) throws(TextError) -> SpecialTokens.Named? {
        try self.id(id, key).map { SpecialTokens.Named(text: metadata.tokens[Int($0)], id: $0) }
    }

    /// - Parameter addsBOS: what counts where the file does not say.
    func template(addsBOS: Bool) throws(TextError) -> SequenceTemplate {
        var template = SequenceTemplate()
        if metadata.addsBOS ?? addsBOS {
            if let bos = try id(metadata.bosID, "bos_token_id") {
                template.prefix = [bos]
            } else if metadata.addsBOS == true {
                throw fail("tokenizer.ggml.add_bos_token is true, but there is no bos_token_id")
            }
        }
        if metadata.addsEOS == true {
            guard let eos = try id(metadata.eosID, "eos_token_id") else {
                throw fail("tokenizer.ggml.add_eos_token is true, but there is no eos_token_id")
            }
            template.suffix = [eos]
        }
        return template
    }
}
