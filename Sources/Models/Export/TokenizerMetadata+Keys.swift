import Tensors

extension TokenizerMetadata {
    /// The keys of a GGUF file for a model with `rows` token embeddings; rows beyond the tokens are unused tokens.
    /// - Throws: ``ModelsError/cannotExport(file:reason:)`` for a tokenizer with more tokens than rows.
    func keys(rows: Int) throws -> [(key: String, value: GGUFWriter.Value)] {
        guard tokens.count <= rows else {
            throw ModelsError.cannotExport(
                file: file, reason: "its tokenizer has \(tokens.count) tokens, and the model embeds \(rows)")
        }
        let padding = tokens.count..<rows
        let types = types.isEmpty ? [Int](repeating: Self.normal, count: tokens.count) : types
        var keys: [(key: String, value: GGUFWriter.Value)] = [("model", .text(model))]
        if let pre { keys.append(("pre", .text(pre))) }
        keys.append(("tokens", .texts(tokens + padding.map { "[PAD\($0)]" })))
        keys.append(("token_type", .int32s(types.map(Int32.init) + padding.map { _ in Int32(Self.unused) })))
        if !scores.isEmpty {
            let last = (scores.min() ?? 0) - 1
            keys.append(("scores", .float32s(scores + padding.map { _ in last })))
        }
        if model == "gpt2" { keys.append(("merges", .texts(merges))) }
        let ids = [("bos_token_id", bosID), ("eos_token_id", eosID), ("unknown_token_id", unknownID)]
        for (key, id) in ids { if let id { keys.append((key, .uint32(UInt32(id)))) } }
        for (key, id) in zip(Self.endKeys, endIDs) { keys.append((key, .uint32(UInt32(id)))) }
        let flags = [("add_bos_token", addsBOS), ("add_eos_token", addsEOS), ("add_space_prefix", addsSpacePrefix)]
        for (key, flag) in flags { if let flag { keys.append((key, .bool(flag))) } }
        var named = keys.map { (key: "tokenizer.ggml." + $0.key, value: $0.value) }
        if let chatTemplate { named.append(("tokenizer.chat_template", .text(chatTemplate))) }
        return named
    }

    private static let normal = 1
    private static let unused = 5
}
