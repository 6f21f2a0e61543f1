import Foundation

extension Tokenizer {
    /// Reads a `tokenizer.json`.
    /// - Parameters:
    ///   - tokenizerJSON: the bytes of the file.
    ///   - file: what errors call it.
    /// - Throws: ``TextError``, naming the file and the key or byte, for anything that is damaged or not supported.
    /// - Complexity: linear in the size of the file.
    public init(tokenizerJSON: Data, file: String = "tokenizer.json") throws(TextError) {
        try self.init(JSONDocument([UInt8](tokenizerJSON), file: file), configuration: nil)
    }

    /// - Parameter configuration: the `tokenizer_config.json` beside the file, for its added and special tokens.
    init(_ document: JSONDocument, configuration: JSONDocument?) throws(TextError) {
        let root = JSONField(document.root)
        try root.onlyKeys([
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model",
        ])
        if let version = try root.optional("version"), try version.string() != "1.0" {
            throw version.unsupported("'\(try version.string())'", supported: ["1.0"])
        }
        for name in ["truncation", "padding"] {
            if let option = try root.optional(name) { throw option.unsupported("other than null", supported: ["null"]) }
        }

        let normalizer = try root.optional("normalizer").map { field throws(TextError) in
            try NormalizerReader.read(field)
        }
        var preTokenizers = PreTokenizerReader()
        if let field = try root.optional("pre_tokenizer") { try preTokenizers.read(field) }
        let model = try BytePairModelReader.read(root.required("model"), isByteLevel: preTokenizers.isByteLevel)

        var added = AddedTokenReader(model.vocabulary)
        if let field = try root.optional("added_tokens") { try added.read(field) }
        if let configuration = configuration.map({ JSONField($0.root) }) {
            if let field = try configuration.optional("added_tokens_decoder") { try added.override(field) }
            try added.addNamed(configuration)
        }
        let addedTokens = try AddedTokens(added.tokens, normalizer: normalizer, file: document.file)

        var stages: [any DecoderStage] = [JoinStage()]
        if let field = try root.optional("decoder") {
            var decoder = DecoderReader()
            try decoder.read(field)
            stages = decoder.stages
        }

        self.init(
            name: document.file, specialTokens: SpecialTokens(), normalizer: normalizer,
            preTokenizers: preTokenizers.steps, model: model, addedTokens: addedTokens, decoderStages: stages,
            template: SequenceTemplate())
        if let field = try root.optional("post_processor") {
            var template = SequenceTemplate()
            try PostProcessorReader.read(field, into: &template) { token($0) }
            self.template = template
        }
    }
}
