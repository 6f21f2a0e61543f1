extension GGUFTokenizerReader {
    /// The merges of a SentencePiece BPE model: two neighbours join if their text together is a normal token, the
    /// highest score first and the leftmost of equals.
    ///
    /// SentencePiece looks the joined text up while it encodes. Here every way to make a token out of two is listed
    /// beforehand, with the place of the token in the order of scores as its rank; that is the same, because symbols
    /// are always tokens or single characters and each character of a normal token must be a token itself.
    ///
    /// Control, unknown and byte tokens never come out of a merge, as in SentencePiece; nor do unused tokens.
    func scoredMerges(_ vocabulary: Vocabulary) throws(TextError) -> MergeTable {
        let ranks = try ranks()
        var table = MergeTable(capacity: metadata.tokens.count * 4)
        for (id, token) in metadata.tokens.enumerated() where isMergeable(id) {
            var text = token
            let missing = text.withUTF8 { text -> Unicode.Scalar? in
                addMerges(of: text, id: id, rank: ranks[id], vocabulary, &table)
            }
            if let missing {
                throw fail(
                    "the token '\(token)' (\(id)) has the character '\(missing)', which is no token itself; "
                        + "such a vocabulary is not supported")
            }
        }
        return table
    }

    private func isMergeable(_ id: Int) -> Bool { type(id) == .normal || type(id) == .userDefined }

    /// Adds each pair of tokens that makes this one. Returns a character of it that is no token, if there is one.
    private func addMerges(
        of text: UTF8Text, id: Int, rank: UInt32, _ vocabulary: Vocabulary, _ table: inout MergeTable
    ) -> Unicode.Scalar? {
        var at = 0
        while at < text.count {
            let (value, length) = text.scalar(at: at)
            let scalar = UTF8Text(rebasing: text[at..<at + length])
            if type(id) == .normal, length < text.count, vocabulary.id(of: scalar) < 0 { return Unicode.Scalar(value) }
            if at > 0 {
                let left = vocabulary.id(of: UTF8Text(rebasing: text[..<at]))
                let right = vocabulary.id(of: UTF8Text(rebasing: text[at...]))
                if left >= 0, right >= 0 { table.insert(left, right, rank: rank, id: Int32(id)) }
            }
            at += length
        }
        return nil
    }

    /// The place of each token in the order of falling scores; tokens of equal score share a place.
    private func ranks() throws(TextError) -> [UInt32] {
        let scores = metadata.scores
        guard scores.count == metadata.tokens.count else {
            throw fail("tokenizer.ggml.scores has \(scores.count) entries for \(metadata.tokens.count) tokens")
        }
        if let id = scores.firstIndex(where: \.isNaN) { throw fail("tokenizer.ggml.scores[\(id)] is not a number") }
        var ranks = [UInt32](repeating: 0, count: scores.count)
        var rank: UInt32 = 0
        var last: Float?
        for id in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
            if let last, scores[id] < last { rank += 1 }
            ranks[id] = rank
            last = scores[id]
        }
        return ranks
    }
}
