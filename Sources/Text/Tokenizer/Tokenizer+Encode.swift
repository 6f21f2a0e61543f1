extension Tokenizer {
    /// The ids of a text.
    ///
    /// Special tokens that are written out in the text are always taken as such; `addSpecialTokens` is about those
    /// that the model wants around a text, usually one at the beginning. A text that comes from a ``ChatTemplate`` has
    /// them already. Time is linear in the text for the supported pre-tokenizers, n log n in the longest word.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int32] {
        var text = text
        return text.withUTF8 { encode(valid: $0, addSpecialTokens: addSpecialTokens) }
    }

    /// The ids of bytes that may not be UTF-8: each maximal ill-formed part is taken as U+FFFD, exactly as if the text
    /// had been read with Python's `bytes.decode("utf-8", "replace")`.
    public func encode(bytes: some Collection<UInt8>, addSpecialTokens: Bool = true) -> [Int32] {
        UTF8Repair.repaired(bytes).withUnsafeBufferPointer { encode(valid: $0, addSpecialTokens: addSpecialTokens) }
    }

    private func encode(valid text: UTF8Text, addSpecialTokens: Bool) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 8)
        var scratch = MergeScratch()
        if addSpecialTokens { ids.append(contentsOf: template.prefix) }
        for stretch in addedTokens.splitLiteral(text) {
            if let id = stretch.id {
                ids.append(id)
            } else {
                encodeLiteral(Array(text[stretch.range]), stretch.range.lowerBound == 0, into: &ids, &scratch)
            }
        }
        if addSpecialTokens { ids.append(contentsOf: template.suffix) }
        return ids
    }

    /// Encodes a stretch without added tokens of the first kind.
    private func encodeLiteral(
        _ stretch: [UInt8], _ startsText: Bool, into ids: inout [Int32], _ scratch: inout MergeScratch
    ) {
        var text = stretch
        normalizer?.normalize(&text)
        let parts = text.withUnsafeBufferPointer { addedTokens.splitNormalized($0) }
        for part in parts {
            if let id = part.id {
                ids.append(id)
                continue
            }
            let isWhole = part.range.count == text.count
            var list = PieceList(
                isWhole ? text : Array(text[part.range]), startsText: startsText && part.range.lowerBound == 0)
            for step in preTokenizers { step.apply(to: &list) }
            list.text.withUnsafeBufferPointer { buffer in
                for piece in list.pieces {
                    model.encode(UTF8Text(rebasing: buffer[piece]), into: &ids, &scratch)
                }
            }
        }
    }
}
