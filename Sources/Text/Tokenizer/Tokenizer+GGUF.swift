extension Tokenizer {
    /// The tokenizer of a GGUF file.
    ///
    /// "gpt2" is byte-level BPE with merges and a pre-tokenizer by name. "llama" is SentencePiece: pairs join by the
    /// score of the token that they make. In both, tokens that are control tokens or defined by the user are found in
    /// the text first, control tokens being special.
    ///
    /// - Throws: ``TextError``, naming the file and what is missing, contradictory or not supported.
    public init(gguf metadata: GGUFTokenizerMetadata) throws(TextError) {
        let reader = GGUFTokenizerReader(metadata)
        switch metadata.model {
        case "gpt2": try self.init(reader, byteLevel: ())
        case "llama": try self.init(reader, sentencePiece: ())
        default:
            throw .unsupported(
                file: metadata.file, what: "tokenizer.ggml.model '\(metadata.model)'", supported: ["gpt2", "llama"])
        }
    }

    private init(_ reader: GGUFTokenizerReader, byteLevel: Void) throws(TextError) {
        let metadata = reader.metadata
        guard let patterns = GGUFPreTokenizer.patterns(metadata.pre) else {
            throw .unsupported(
                file: metadata.file, what: "tokenizer.ggml.pre '\(metadata.pre)'",
                supported: GGUFPreTokenizer.supported)
        }
        let isLlama3 = GGUFPreTokenizer.isLlama3(metadata.pre)
        let vocabulary = try reader.vocabulary()
        let model = try BytePairModel(
            vocabulary: vocabulary, merges: reader.merges(vocabulary), alphabet: .bytes,
            unknownID: reader.id(metadata.unknownID, "unknown_token_id"), fusesUnknown: false,
            ignoresMerges: isLlama3, fallsBackToBytes: false, file: metadata.file)
        let space = ByteLevelPreTokenizer(addsPrefixSpace: metadata.addsSpacePrefix ?? false, usesPattern: false)
        self.init(
            name: metadata.file, specialTokens: try reader.specialTokens(), normalizer: nil,
            preTokenizers: [space] + patterns.map { SplitPreTokenizer(pattern: $0) }, model: model,
            addedTokens: try reader.addedTokens(), decoderStages: [ByteLevelStage()],
            template: try reader.template(addsBOS: isLlama3))
    }

    private init(_ reader: GGUFTokenizerReader, sentencePiece: Void) throws(TextError) {
        let metadata = reader.metadata
        let vocabulary = try reader.vocabulary()
        let hasBytes = metadata.types.isEmpty || metadata.types.contains(.byte)
        let model = try BytePairModel(
            vocabulary: vocabulary, merges: reader.scoredMerges(vocabulary), alphabet: .scalars,
            unknownID: reader.id(metadata.unknownID, "unknown_token_id"), fusesUnknown: true, ignoresMerges: false,
            fallsBackToBytes: hasBytes, file: metadata.file)

        let mark: [UInt8] = [0xE2, 0x96, 0x81]
        let space: [UInt8] = [UInt8(ascii: " ")]
        let spaces = ReplaceNormalizer(pattern: LiteralPattern(literal: space), content: mark)
        let marks = ReplaceNormalizer(pattern: LiteralPattern(literal: mark), content: space)
        let prefixes = metadata.addsSpacePrefix ?? true
        var stages: [any DecoderStage] = [ReplaceStage(replace: marks), ByteFallbackStage()]
        if prefixes { stages.append(StripStage(content: space, start: 1, stop: 0, isJoined: true)) }
        self.init(
            name: metadata.file, specialTokens: try reader.specialTokens(),
            normalizer: SequenceNormalizer(steps: prefixes ? [PrependNormalizer(prefix: mark), spaces] : [spaces]),
            preTokenizers: [], model: model, addedTokens: try reader.addedTokens(), decoderStages: stages,
            template: try reader.template(addsBOS: true))
    }
}
