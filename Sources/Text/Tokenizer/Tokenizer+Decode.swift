extension Tokenizer {
    /// The text of ids, as the decoder of the file makes it; no spaces are "cleaned up" afterwards, even where a
    /// `tokenizer_config.json` asks transformers to do so. Ids that are no token add nothing.
    public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = false) -> String {
        var decoder = streamDecoder(skipSpecialTokens: skipSpecialTokens)
        var text = ""
        for id in ids { text += decoder.push(id) }
        return text + decoder.finish()
    }

    /// A decoder for ids that come one by one.
    public func streamDecoder(skipSpecialTokens: Bool = true) -> StreamDecoder {
        StreamDecoder(self, skipsSpecialTokens: skipSpecialTokens)
    }

    /// What the decoder sees for an id, or nil where it sees nothing.
    func decodedText(of id: Int32, skipsSpecialTokens: Bool) -> [UInt8]? {
        if let added = addedTokens.token(id) {
            return skipsSpecialTokens && added.isSpecial ? nil : addedTokens.decodedText(added)
        }
        return model.vocabulary.text(of: Int(id)).map(Array.init)
    }
}
