import Foundation
import Tensors

/// Where a checkpoint's tokenizer is.
public enum CheckpointTokenizer: Sendable {
    /// A folder with `tokenizer.json`.
    case folder(String)
    /// What a GGUF file says under `tokenizer.ggml.*`.
    case metadata(TokenizerMetadata)
    /// Weights alone.
    case none
}

/// The tokenizer of a GGUF file, as its keys have it and unchecked: what they mean is a tokenizer's to say.
///
/// - Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; gguf `constants.py`, `Keys.Tokenizer`.
public struct TokenizerMetadata: Sendable, Equatable {
    public let file: String
    /// `model`: "llama" or "gpt2".
    public let model: String
    /// `pre`
    public let pre: String?
    public let tokens: [String]
    /// Empty where there are none.
    public let scores: [Float]
    /// `token_type`, 1 to 6; empty where there are none.
    public let types: [Int]
    /// "left right"
    public let merges: [String]
    public let bosID: Int?
    public let eosID: Int?
    public let unknownID: Int?
    /// ``endKeys``, where they are there.
    public let endIDs: [Int]
    public let addsBOS: Bool?
    public let addsEOS: Bool?
    public let addsSpacePrefix: Bool?
    /// `tokenizer.chat_template`
    public let chatTemplate: String?

    /// Further ends of a text.
    static let endKeys = ["eot_token_id", "eom_token_id"]

    public init(
        file: String, model: String, pre: String?, tokens: [String], scores: [Float], types: [Int], merges: [String], bosID: Int?,
        eosID: Int?, unknownID: Int?, endIDs: [Int], addsBOS: Bool?, addsEOS: Bool?, addsSpacePrefix: Bool?,
        chatTemplate: String?
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
        self.chatTemplate = chatTemplate
    }

    /// nil where the file has no tokenizer, or says that it has none.
    /// - Throws: ``TensorsError/wrongMetadata(file:key:expected:found:)``.
    init?(_ file: GGUFFile) throws {
        func key(_ name: String) -> String { "tokenizer.ggml." + name }
        guard let model = try file.text(key("model")), let tokens = try file.texts(key("tokens")) else { return nil }
        self.file = file.file.path
        self.model = model
        self.tokens = tokens
        pre = try file.text(key("pre"))
        scores = try file.floats(key("scores")) ?? []
        types = try file.integers(key("token_type")) ?? []
        merges = try file.texts(key("merges")) ?? []
        bosID = try file.integer(key("bos_token_id"))
        eosID = try file.integer(key("eos_token_id"))
        unknownID = try file.integer(key("unknown_token_id"))
        endIDs = try Self.endKeys.compactMap { try file.integer(key($0)) }
        addsBOS = try file.bool(key("add_bos_token"))
        addsEOS = try file.bool(key("add_eos_token"))
        addsSpacePrefix = try file.bool(key("add_space_prefix"))
        chatTemplate = try file.text("tokenizer.chat_template")
    }
}
