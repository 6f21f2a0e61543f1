import Foundation

extension Tokenizer {
    /// Reads the tokenizer of a checkpoint in Hugging Face form: `tokenizer.json` and, where they are there,
    /// `tokenizer_config.json`, `generation_config.json` and `config.json`.
    ///
    /// `tokenizer.json` says how text is encoded; the other files add special tokens, ``SpecialTokens``, and the
    /// settings of added tokens. One thing more is taken from `tokenizer_config.json`: where it has `add_bos_token` or
    /// `add_eos_token` true and the post-processor of `tokenizer.json` puts nothing there, the token is added
    /// (DeepSeek-V2). So do transformers 4 for Llama and Gemma tokenizers and llama.cpp; transformers 5 ignores the
    /// two settings when there is a `tokenizer.json`.
    ///
    /// - Throws: ``TextError``, naming the file and the key or byte.
    public init(directory: URL) throws(TextError) {
        let file = directory.appendingPathComponent("tokenizer.json")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw .unreadable(file: file.path, reason: "there is no such file, and no other form of tokenizer is read")
        }
        let configuration = try Self.document(directory, "tokenizer_config.json")
        try self.init(JSONDocument(contentsOf: file), configuration: configuration)

        var reader = SpecialTokenReader(self)
        if let configuration { try reader.readNames(JSONField(configuration.root)) }
        for name in ["generation_config.json", "config.json"] {
            if let document = try Self.document(directory, name) { try reader.readIDs(JSONField(document.root)) }
        }
        specialTokens = reader.result
        if reader.addsBOS, template.prefix.isEmpty, let bos = specialTokens.bos { template.prefix = [bos.id] }
        if reader.addsEOS, template.suffix.isEmpty, let eos = specialTokens.eos { template.suffix = [eos.id] }
    }

    private static func document(_ directory: URL, _ name: String) throws(TextError) -> JSONDocument? {
        let file = directory.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try JSONDocument(contentsOf: file)
    }
}

/// Collects ``SpecialTokens`` from the files beside a `tokenizer.json`.
private struct SpecialTokenReader {
    private let tokenizer: Tokenizer
    private var bos: SpecialTokens.Named?
    private var eos: SpecialTokens.Named?
    private var stopIDs: Set<Int32> = []
    private(set) var addsBOS = false
    private(set) var addsEOS = false

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    var result: SpecialTokens {
        SpecialTokens(bos: bos, eos: eos, stopIDs: stopIDs.union([eos?.id].compactMap(\.self)).sorted())
    }

    /// `tokenizer_config.json`: tokens by their text.
    mutating func readNames(_ root: JSONField) throws(TextError) {
        bos = try named(root, "bos_token")
        eos = try named(root, "eos_token")
        addsBOS = try root.flag("add_bos_token", default: false)
        addsEOS = try root.flag("add_eos_token", default: false)
    }

    /// `generation_config.json` or `config.json`: tokens by their ids, which may lie beyond the tokenizer.
    mutating func readIDs(_ root: JSONField) throws(TextError) {
        if bos == nil, let field = try root.optional("bos_token_id") { bos = try named(id(field)) }
        guard let field = try root.optional("eos_token_id") else { return }
        let fields = field.value.kind == .array ? try field.elements() : [field]
        for (index, field) in fields.enumerated() {
            let id = try id(field)
            stopIDs.insert(id)
            if index == 0, eos == nil { eos = named(id) }
        }
    }

    private func id(_ field: JSONField) throws(TextError) -> Int32 {
        guard let id = Int32(exactly: try field.integer()), id >= 0 else { throw field.fail("is not an id") }
        return id
    }

    private func named(_ id: Int32) -> SpecialTokens.Named? {
        tokenizer.token(id).map { SpecialTokens.Named(text: $0, id: id) }
    }

    /// A token as its text or as an object with its `content`.
    private func named(_ root: JSONField, _ name: String) throws(TextError) -> SpecialTokens.Named? {
        guard let field = try root.optional(name) else { return nil }
        let text = try field.value.kind == .object ? field.required("content").string() : field.string()
        guard let id = tokenizer.id(of: text) else { throw field.fail("'\(text)' is not in the vocabulary") }
        return SpecialTokens.Named(text: text, id: id)
    }
}
