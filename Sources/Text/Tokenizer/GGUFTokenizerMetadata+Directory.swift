import Foundation

extension GGUFTokenizerMetadata {
    /// What a GGUF file is to say about the tokenizer of a checkpoint in Hugging Face form, so that llama.cpp, and
    /// ``Tokenizer/init(gguf:)``, make the same ids of every text.
    ///
    /// Byte-level models keep their merges, under the name of the pre-tokenizer that cuts as theirs does. Models with byte
    /// fallback (Llama 2, Gemma) become "llama": a token's score is the place of its merges in the list, negative, which
    /// is what SentencePiece had it from. Ids without a token are unused tokens named as llama.cpp's converter names them.
    ///
    /// - Source: llama.cpp `conversion/base.py` and `src/llama-vocab.cpp`. Held by `GGUFTokenizerWriterTests`.
    /// - Throws: ``TextError``: what ``Tokenizer/init(directory:)`` throws, or `unsupported` for a tokenizer that the
    ///   format cannot say.
    public init(directory: URL) throws(TextError) {
        let tokenizer = try Tokenizer(directory: directory)
        let root = JSONField(try JSONDocument(contentsOf: directory.appendingPathComponent("tokenizer.json")).root)
        try self.init(GGUFTokenizerWriter(tokenizer: tokenizer, root: root))
    }

    private init(_ writer: GGUFTokenizerWriter) throws(TextError) {
        let tokenizer = writer.tokenizer
        let isByteLevel = tokenizer.model.alphabet == .bytes
        try writer.checkAddedTokens()
        let (addsBOS, addsEOS) = try writer.additions()
        let special = tokenizer.specialTokens
        let ends = special.stopIDs.filter { $0 != special.eos?.id }
        guard ends.count <= 2 else {
            throw writer.refuse("an end of text by \(ends.count + 1) tokens", supported: ["up to three of them"])
        }
        self.init(
            file: tokenizer.name, model: isByteLevel ? "gpt2" : "llama", pre: isByteLevel ? try writer.pre() : "default",
            tokens: writer.tokens, types: writer.types, bosID: special.bos.map { Int($0.id) },
            eosID: special.eos.map { Int($0.id) }, unknownID: tokenizer.model.unknownID.map(Int.init),
            endIDs: ends.map(Int.init), addsBOS: addsBOS, addsEOS: addsEOS,
            addsSpacePrefix: isByteLevel ? false : try writer.addsSpacePrefix())
        if isByteLevel {
            merges = try writer.merges().map { $0.left + " " + $0.right }
        } else {
            scores = try writer.scores()
            try writer.checkScores(self)
        }
    }
}
