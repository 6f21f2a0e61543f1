/// The special tokens of a model that a caller needs by name.
public struct SpecialTokens: Sendable, Equatable {
    /// A token by its text and its id.
    public struct Named: Sendable, Equatable {
        public var text: String
        public var id: Int32

        public init(text: String, id: Int32) {
            self.text = text
            self.id = id
        }
    }

    /// Beginning of a sequence.
    public var bos: Named?
    /// End of a sequence.
    public var eos: Named?
    /// Ids that end a generation, ascending: `eos` and every `eos_token_id` of `generation_config.json` and
    /// `config.json`.
    public var stopIDs: [Int32]

    public init(bos: Named? = nil, eos: Named? = nil, stopIDs: [Int32] = []) {
        self.bos = bos
        self.eos = eos
        self.stopIDs = stopIDs
    }
}
