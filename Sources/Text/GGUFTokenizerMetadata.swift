/// What a GGUF file says about its tokenizer, under the keys `tokenizer.ggml.*`; the file itself is read elsewhere.
public struct GGUFTokenizerMetadata: Sendable {
    /// `tokenizer.ggml.token_type` of one token.
    public enum TokenType: Int, Sendable, CaseIterable {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    /// What errors call the file.
    public var file: String
    /// `tokenizer.ggml.model`: "llama" (SentencePiece with scores) or "gpt2" (byte-level with merges).
    public var model: String
    /// `tokenizer.ggml.pre`; only for "gpt2".
    public var pre: String
    public var tokens: [String]
    /// One per token; only for "llama".
    public var scores: [Float]
    /// One per token; empty: all normal.
    public var types: [TokenType]
    /// "left right"; only for "gpt2".
    public var merges: [String]
    public var bosID: Int?
    public var eosID: Int?
    public var unknownID: Int?
    /// Further ids that end a generation, such as `eot_token_id` and `eom_token_id`.
    public var endIDs: [Int]
    /// `add_bos_token`; nil: as llama.cpp does without the key, which is true for "llama" and for the pre-tokenizer of
    /// Llama 3, else false.
    public var addsBOS: Bool?
    /// `add_eos_token`; nil: false.
    public var addsEOS: Bool?
    /// `add_space_prefix`; nil: true for "llama", false for "gpt2".
    public var addsSpacePrefix: Bool?

    public init(
        file: String, model: String, pre: String = "default", tokens: [String], scores: [Float] = [],
        types: [TokenType] = [], merges: [String] = [], bosID: Int? = nil, eosID: Int? = nil, unknownID: Int? = nil,
        endIDs: [Int] = [], addsBOS: Bool? = nil, addsEOS: Bool? = nil, addsSpacePrefix: Bool? = nil
    ) {
        self.file = file
        self.model = model
        self.pre = pre
        self.tokens = tokens
        self.scores = scores
        self.types = types
        self.merges = merges
        self.bosID = bosID
        self.eosID = eosID
        self.unknownID = unknownID
        self.endIDs = endIDs
        self.addsBOS = addsBOS
        self.addsEOS = addsEOS
        self.addsSpacePrefix = addsSpacePrefix
    }
}
