import Foundation
import Models
import Text

extension Checkpoint {
    /// The tokenizer that came with the weights.
    /// - Throws: ``EngineError/noTokenizer(checkpoint:isFolder:)`` or a `TextError` that names the file.
    public func loadTokenizer() throws -> Tokenizer {
        switch tokenizer {
        case .none: throw EngineError.noTokenizer(checkpoint: path, isFolder: format != .gguf)
        case .folder(let folder): return try Tokenizer(directory: URL(fileURLWithPath: folder))
        case .metadata(let metadata):
            return try Tokenizer(
                gguf: GGUFTokenizerMetadata(
                    file: metadata.file, model: metadata.model, pre: metadata.pre ?? "default", tokens: metadata.tokens,
                    scores: metadata.scores,
                    types: metadata.types.map { GGUFTokenizerMetadata.TokenType(rawValue: $0) ?? .normal },
                    merges: metadata.merges, bosID: metadata.bosID, eosID: metadata.eosID, unknownID: metadata.unknownID,
                    endIDs: metadata.endIDs, addsBOS: metadata.addsBOS, addsEOS: metadata.addsEOS,
                    addsSpacePrefix: metadata.addsSpacePrefix))
        }
    }

    /// The tokenizer as a GGUF file keeps it; nil where there is none.
    /// - Throws: a `TextError` that names the file, for a tokenizer that the format cannot say.
    public func tokenizerMetadata() throws -> TokenizerMetadata? {
        switch tokenizer {
        case .none: return nil
        case .metadata(let metadata): return metadata
        case .folder(let folder):
            let said = try GGUFTokenizerMetadata(directory: URL(fileURLWithPath: folder))
            return TokenizerMetadata(
                file: said.file, model: said.model, pre: said.pre, tokens: said.tokens, scores: said.scores,
                types: said.types.map(\.rawValue), merges: said.merges, bosID: said.bosID, eosID: said.eosID,
                unknownID: said.unknownID, endIDs: said.endIDs, addsBOS: said.addsBOS, addsEOS: said.addsEOS,
                addsSpacePrefix: said.addsSpacePrefix, chatTemplate: nil)
        }
    }

    /// How the model's family writes conversations.
    public var chatTemplate: ChatTemplate {
        switch configuration {
        case is Gemma3Configuration: .gemma
        case is DeepSeekV2Configuration: .deepseekV2
        default: .llama31()
        }
    }
}
